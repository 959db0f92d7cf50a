//! A runtime on a thread of the store's own.
//!
//! The store is called from threads of every kind, workers of another runtime among them, where
//! nobody may start to block on a runtime. So connections live on a thread here, and whoever asks
//! waits at a channel, as he would wait for a disk.

use std::{future::Future, sync::mpsc::sync_channel, thread::JoinHandle};

use ondol_store::StoreError;
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use crate::error::Failure;

/// The thread of connections.
pub(crate) struct Driver {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    pub(crate) fn start() -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread =
            std::thread::Builder::new().name("store-connections".into()).spawn(move || {
                // A sender that is gone says the same as one that sends.
                let _ = runtime.block_on(stopped);
            })?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for what is done on the thread of connections.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (send, receive) = sync_channel(1);
        self.handle.spawn(async move {
            // Whoever asked waits until this is sent.
            let _ = send.send(work.await);
        });
        receive.recv().map_err(|_| StoreError::Closed.into())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to close.
            let _ = thread.join();
        }
    }
}
