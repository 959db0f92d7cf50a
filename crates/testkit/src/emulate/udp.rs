//! A link for real datagrams.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{net::UdpSocket, task::JoinSet};

use super::{Conditions, Controls};

/// Forwards datagrams between whoever sends to [`address`](Self::address) and one target,
/// through an emulated link each way. One client: answers go to the last that sent. It stops
/// when dropped.
#[derive(Debug)]
pub struct UdpEmulator {
    address: SocketAddr,
    controls: Controls,
    _tasks: JoinSet<io::Result<()>>,
}

impl UdpEmulator {
    /// Listens on `listen` (port 0: any) and forwards to `target`; `forward` is the way
    /// towards the target.
    pub async fn start(
        listen: SocketAddr,
        target: SocketAddr,
        forward: Conditions,
        backward: Conditions,
        seed: u64,
    ) -> io::Result<Self> {
        let near = Arc::new(UdpSocket::bind(listen).await?);
        let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let far = Arc::new(UdpSocket::bind(any).await?);
        far.connect(target).await?;
        let address = near.local_addr()?;
        let controls = Controls::new(forward, backward, seed);
        let client = Arc::new(tokio::sync::Mutex::new(None));
        let mut tasks = JoinSet::new();
        tasks.spawn(read_near(near.clone(), controls.clone(), client.clone()));
        tasks.spawn(read_far(far.clone(), controls.clone()));
        tasks.spawn({
            let controls = controls.clone();
            async move {
                loop {
                    // A target that is not there refuses; it may come later.
                    let _ = far.send(&controls.next(true).await).await;
                }
            }
        });
        tasks.spawn({
            let controls = controls.clone();
            async move {
                loop {
                    let packet = controls.next(false).await;
                    if let Some(client) = *client.lock().await {
                        let _ = near.send_to(&packet, client).await;
                    }
                }
            }
        });
        Ok(Self { address, controls, _tasks: tasks })
    }

    /// Where clients send to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What changes the link while it runs.
    pub const fn controls(&self) -> &Controls {
        &self.controls
    }
}

async fn read_near(
    near: Arc<UdpSocket>,
    controls: Controls,
    client: Arc<tokio::sync::Mutex<Option<SocketAddr>>>,
) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok((length, from)) = near.recv_from(&mut buffer).await else { continue };
        *client.lock().await = Some(from);
        controls.pipe(true).push(controls.now_ms(), buffer[..length].to_vec());
        controls.notify();
    }
}

async fn read_far(far: Arc<UdpSocket>, controls: Controls) -> io::Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok(length) = far.recv(&mut buffer).await else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        controls.pipe(false).push(controls.now_ms(), buffer[..length].to_vec());
        controls.notify();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, timeout};

    use super::*;

    const HERE: &str = "127.0.0.1:0";

    async fn echo() -> SocketAddr {
        let socket = UdpSocket::bind(HERE).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                socket.send_to(&buffer[..length], from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn datagrams_take_the_link_and_a_cut_loses_them() {
        let conditions = Conditions::new(80_000, 50);
        let emulator = UdpEmulator::start(
            HERE.parse().unwrap(),
            echo().await,
            conditions.clone(),
            conditions,
            1,
        )
        .await
        .unwrap();
        let client = UdpSocket::bind(HERE).await.unwrap();
        client.connect(emulator.address()).await.unwrap();
        let mut buffer = [0; 2_048];
        let start = Instant::now();
        client.send(&[7; 472]).await.unwrap();
        let length = timeout(Duration::from_secs(5), client.recv(&mut buffer)).await;
        assert_eq!(length.unwrap().unwrap(), 472);
        assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());

        emulator.controls().cut();
        client.send(&[8; 10]).await.unwrap();
        assert!(timeout(Duration::from_millis(400), client.recv(&mut buffer)).await.is_err());
        emulator.controls().restore();
        client.send(&[9; 10]).await.unwrap();
        let length = timeout(Duration::from_secs(5), client.recv(&mut buffer)).await;
        assert_eq!((length.unwrap().unwrap(), buffer[0]), (10, 9));
    }

    #[tokio::test]
    async fn what_is_cut_one_way_passes_the_other() {
        let target = UdpSocket::bind(HERE).await.unwrap();
        let conditions = Conditions::new(1_000_000, 5);
        let address = target.local_addr().unwrap();
        let emulator =
            UdpEmulator::start(HERE.parse().unwrap(), address, conditions.clone(), conditions, 1)
                .await
                .unwrap();
        emulator.controls().cut_one_way(false);
        let client = UdpSocket::bind(HERE).await.unwrap();
        client.connect(emulator.address()).await.unwrap();
        let mut buffer = [0; 64];
        client.send(&[1; 8]).await.unwrap();
        let received = timeout(Duration::from_secs(5), target.recv_from(&mut buffer)).await;
        let (length, from) = received.unwrap().unwrap();
        assert_eq!(length, 8, "data passes");
        target.send_to(&[2; 8], from).await.unwrap();
        assert!(timeout(Duration::from_millis(300), client.recv(&mut buffer)).await.is_err());
        emulator.controls().restore();
        target.send_to(&[3; 9], from).await.unwrap();
        let length = timeout(Duration::from_secs(5), client.recv(&mut buffer)).await;
        assert_eq!(length.unwrap().unwrap(), 9, "and answers do again");
    }
}
