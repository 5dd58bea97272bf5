#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| steadycast_relay::webrtc::fuzzing::frames(data));
