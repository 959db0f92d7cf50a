//! Many times of the same thing.

use std::{sync::Mutex, thread, time::Duration};

use anyhow::{Result, bail};
use ondol_testkit::patience::Stopwatch;

/// Times that were measured, in order of size.
#[derive(Debug, Clone)]
pub struct Times {
    sorted: Vec<Duration>,
    /// From the first to the last, over all clients.
    pub whole: Duration,
}

impl Times {
    /// From measured times.
    pub fn new(mut times: Vec<Duration>, whole: Duration) -> Result<Self> {
        if times.is_empty() {
            bail!("nothing was measured");
        }
        times.sort_unstable();
        Ok(Self { sorted: times, whole })
    }

    /// The time within which this share of all were done (nearest rank), ms.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among a few thousand"
    )]
    pub fn ms(&self, share: f64) -> f64 {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        let at = rank.clamp(1, self.sorted.len()) - 1;
        self.sorted[at].as_secs_f64() * 1_000.0
    }

    /// How many in a second.
    pub fn per_s(&self) -> f64 {
        self.count() / self.whole.as_secs_f64()
    }

    /// How many there are.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    pub fn count(&self) -> f64 {
        self.sorted.len() as f64
    }
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let watch = Stopwatch::start();
    let done = act()?;
    Ok((done, watch.elapsed()))
}

/// Does something `count` times with `clients` at once; each is told which it is.
pub fn drive(
    clients: usize,
    count: usize,
    act: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<Times> {
    let next = Mutex::new(0..count);
    let times = Mutex::new(vec![]);
    let failed = Mutex::new(None);
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        for _ in 0..clients.max(1) {
            scope.spawn(|| {
                while let Some(at) = next.lock().ok().and_then(|mut next| next.next()) {
                    match timed(|| act(at)) {
                        Ok(((), took)) => {
                            if let Ok(mut times) = times.lock() {
                                times.push(took);
                            }
                        }
                        Err(why) => {
                            if let Ok(mut failed) = failed.lock() {
                                failed.get_or_insert(why);
                            }
                            return;
                        }
                    }
                }
            });
        }
    });
    let whole = watch.elapsed();
    if let Some(why) = failed.into_inner().unwrap_or(None) {
        return Err(why);
    }
    Times::new(times.into_inner().unwrap_or_default(), whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_nearest_ranks() {
        let times = (1..=20).rev().map(Duration::from_millis).collect();
        let times = Times::new(times, Duration::from_secs(2)).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            near(times.ms(0.5), 10.0) && near(times.ms(0.95), 19.0) && near(times.ms(1.0), 20.0)
        );
        assert!(near(times.per_s(), 10.0));
        assert!(Times::new(vec![], Duration::ZERO).is_err());
    }

    #[test]
    fn all_is_done_once_and_a_failure_is_told() {
        let seen = Mutex::new(vec![]);
        let times = drive(3, 50, &|at| {
            seen.lock().unwrap().push(at);
            Ok(())
        });
        assert!((times.unwrap().count() - 50.0).abs() < 1e-9);
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..50).collect::<Vec<_>>());
        assert!(drive(2, 5, &|at| if at == 3 { bail!("no") } else { Ok(()) }).is_err());
    }
}
