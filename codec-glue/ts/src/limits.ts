/** The sizes that no peer may exceed; each is checked before anything is allocated. */

/** Bytes of a control message, without its length (PROTOCOL 2.1). */
export const CONTROL_MESSAGE_MAX = 16_384;
/** UTF-8 bytes of the token in `Hello` (PROTOCOL 2.2). */
export const TOKEN_MAX = 4_096;
/** UTF-8 bytes of the agent's name in `Hello` (PROTOCOL 2.2). */
export const AGENT_MAX = 128;
/** UTF-8 bytes of a goodbye's message (PROTOCOL 2.2). */
export const GOODBYE_MESSAGE_MAX = 256;
/** UTF-8 bytes of a refused rendition's reason (PROTOCOL 2.2). */
export const REFUSAL_REASON_MAX = 256;
/** Bytes of a publisher's lineage (PROTOCOL 3.3). */
export const RESUME_SIZE = 16;

/** The first byte of a unidirectional stream (PROTOCOL 4.1). */
export const GROUP_MARK = 0x47;
/** Bytes of a frame's fixed header (PROTOCOL 4.2). */
export const FRAME_HEADER_SIZE = 30;
/** Bytes of one encoded chunk (PROTOCOL 4.2). */
export const PAYLOAD_MAX = 4_194_304;
/** Bytes of a keyframe's decoder config (PROTOCOL 4.2). */
export const CONFIG_MIN = 8;
export const CONFIG_MAX = 4_096;
/** Characters of the codec string (PROTOCOL 4.3). */
export const CODEC_MAX = 255;
/** Pixels of the picture's longer side (PROTOCOL 4.3). */
export const PICTURE_SIDE_MAX = 8_192;
/** The highest temporal layer (PROTOCOL 4.2). */
export const LAYER_MAX = 7;

/** Frames and bytes of one group (PROTOCOL 4.7). */
export const GROUP_FRAMES_MAX = 20_000;
export const GROUP_BYTES_MAX = 33_554_432;
/** The most frames in one group that receivers of version 1 take (PROTOCOL 4.7). */
export const GROUP_FRAMES_V1 = 600;
/** Where a publisher begins a new group (PROTOCOL 4.7). */
export const GROUP_FRAMES_TARGET = 500;
export const GROUP_BYTES_TARGET = 16_777_216;

/** Bytes of one frame of sound (PROTOCOL 9.3). */
export const SOUND_FRAME_MAX = 1_000;
/** Bytes of a datagram with sound (PROTOCOL 9.3). */
export const SOUND_DATAGRAM_MAX = 1_150;
/** Earlier frames that a datagram with sound repeats (PROTOCOL 9.3). */
export const SOUND_REPEATS_MAX = 2;
/** UTF-8 bytes of the broadcast's name in `Pull` (PROTOCOL 11.2). */
export const BROADCAST_MAX = 64;
/** Relays that a broadcast passes through (PROTOCOL 11.3). */
export const RELAYS_MAX = 4;
/** Bytes of a relay's id (PROTOCOL 11.3). */
export const RELAY_ID_SIZE = 16;

/** Other relays that a session is told of, and UTF-8 bytes of the address of one (PROTOCOL 2.15). */
export const PLACES_MAX = 4;
export const PLACE_MAX = 256;
/** UTF-8 bytes of the word for a relay's region (PROTOCOL 11.10). */
export const REGION_MAX = 32;

/** Channels of sound (PROTOCOL 9.1). */
export const SOUND_CHANNELS_MAX = 2;
