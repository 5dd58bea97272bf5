#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steadycast_codec_glue_fuzz::rtp::rtp_carried(data));
