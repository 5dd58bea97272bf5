//! What is measured: named kernels, each a closure that does its work once per call.

mod gate;
mod policy;
mod webrtc;
mod wire;

/// A kernel.
pub(crate) struct Kernel {
    /// Its name.
    pub name: &'static str,
    /// Makes what it needs, outside of what is measured.
    pub prepare: fn() -> Work,
}

/// Does a kernel's work once.
pub(crate) type Work = Box<dyn FnMut()>;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Kernel> {
    let webrtc = webrtc::KERNELS;
    wire::KERNELS
        .into_iter()
        .chain(policy::KERNELS)
        .chain(gate::KERNELS)
        .chain(webrtc)
}
