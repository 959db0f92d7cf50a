//! Emulated links: rate, delay, jitter, loss, queue and outages, all from a seed.
//!
//! [`Pipe`] is one direction in virtual time, for deterministic tests and the simulator.
//! [`UdpEmulator`] and [`TcpEmulator`] put two pipes between real sockets, and their
//! [`Conditions`] can be changed while they run.

mod pipe;
mod sockets;
mod tcp;
mod udp;

pub use pipe::{Conditions, Pipe};
pub use sockets::Controls;
pub use tcp::TcpEmulator;
pub use udp::UdpEmulator;
