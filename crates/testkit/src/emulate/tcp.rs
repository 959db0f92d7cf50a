//! A link for real byte streams.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinSet,
};

use super::{Conditions, Controls};

/// Bytes of a segment: what waits, is delayed or is 'lost' at once.
const SEGMENT_BYTES: usize = 1_200;
/// IPv4 and TCP with timestamps.
const TCP_OVERHEAD_BYTES: usize = 52;

/// Forwards TCP connections to one target through an emulated link each way, one after
/// another on the same link. A lost segment shows as what TCP makes of it: everything behind
/// it waits a round trip longer. It stops when dropped, and then cuts its connections.
#[derive(Debug)]
pub struct TcpEmulator {
    address: SocketAddr,
    controls: Controls,
    _tasks: JoinSet<()>,
}

impl TcpEmulator {
    /// Listens on `listen` (port 0: any) and forwards to `target`; `forward` is the way
    /// towards the target.
    pub async fn start(
        listen: SocketAddr,
        target: SocketAddr,
        forward: Conditions,
        backward: Conditions,
        seed: u64,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let as_tcp = |mut conditions: Conditions| {
            conditions.overhead_bytes = TCP_OVERHEAD_BYTES;
            conditions
        };
        let controls = Controls::new(as_tcp(forward), as_tcp(backward), seed);
        let mut tasks = JoinSet::new();
        let shared = controls.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let controls = shared.clone();
                connections.spawn(async move {
                    if let Ok(far) = TcpStream::connect(target).await {
                        let (near_in, near_out) = near.into_split();
                        let (far_in, far_out) = far.into_split();
                        let _ = tokio::join!(
                            carry(near_in, far_out, &controls, true),
                            carry(far_in, near_out, &controls, false),
                        );
                    }
                });
            }
        });
        Ok(Self { address, controls, _tasks: tasks })
    }

    /// Where clients connect to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What changes the link while it runs. Under a cut, bytes wait as TCP's would.
    pub const fn controls(&self) -> &Controls {
        &self.controls
    }
}

/// Carries one direction of one connection. Several connections share the rate, because each
/// segment passes through the one pipe of its direction before the next is read.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    controls: &Controls,
    forward: bool,
) -> io::Result<()> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<(u64, Vec<u8>)>(64);
    let read = async {
        let mut buffer = vec![0; SEGMENT_BYTES];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                drop(sender);
                return Ok::<(), io::Error>(());
            }
            let (free_at, arrives_at) = schedule(controls, forward, length).await;
            if sender.send((arrives_at, buffer[..length].to_vec())).await.is_err() {
                return Ok(());
            }
            tokio::time::sleep_until(controls.instant(free_at)).await;
        }
    };
    let write = async {
        while let Some((at, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(controls.instant(at)).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(|_| ())
}

/// When the link will be free again and when a segment arrives, ms; 'lost' segments are tried
/// again a round trip later.
async fn schedule(controls: &Controls, forward: bool, length: usize) -> (u64, u64) {
    let mut late_ms = 0;
    loop {
        let now = controls.now_ms();
        let scheduled = controls.pipe(forward).pass(now, length);
        let round_trip = 2 * controls.pipe(forward).conditions().delay_ms;
        match scheduled {
            Some((free_at, arrives_at)) => return (free_at, arrives_at + late_ms),
            None => {
                late_ms += round_trip.max(20);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    const HERE: &str = "127.0.0.1:0";

    #[tokio::test]
    async fn a_stream_arrives_whole_at_the_rate_of_the_link_and_survives_a_cut() {
        let target = TcpListener::bind(HERE).await.unwrap();
        let to = target.local_addr().unwrap();
        let conditions = Conditions::new(400_000, 20).with_loss(0.05);
        let emulator =
            TcpEmulator::start(HERE.parse().unwrap(), to, conditions.clone(), conditions, 3)
                .await
                .unwrap();
        let sent: Vec<u8> = (0..40_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut client = TcpStream::connect(emulator.address()).await.unwrap();
        let (mut server, _) = target.accept().await.unwrap();
        let start = Instant::now();
        let writing = sent.clone();
        let writer = tokio::spawn(async move {
            client.write_all(&writing).await.unwrap();
            client.shutdown().await.unwrap();
            client
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        emulator.controls().cut();
        tokio::time::sleep(Duration::from_millis(200)).await;
        emulator.controls().restore();
        let mut got = Vec::new();
        timeout(Duration::from_secs(20), server.read_to_end(&mut got)).await.unwrap().unwrap();
        assert_eq!(got, sent);
        assert!(start.elapsed() >= Duration::from_millis(800), "{:?}", start.elapsed());
        drop(writer.await.unwrap());
    }
}
