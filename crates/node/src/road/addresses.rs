//! Where neighbours were heard last. A node that starts again asks them to call it there, instead
//! of waiting until they notice by themselves that it had stopped.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ondol_kernel::NodeId;

/// The addresses of neighbours, and their file: a line for each, `node address`.
#[derive(Debug)]
pub struct Addresses {
    file: PathBuf,
    known: BTreeMap<String, SocketAddr>,
}

impl Addresses {
    /// Reads the file. What cannot be read is not known: it only saves time.
    pub fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| {
            let (node, address) = line.split_once(' ')?;
            Some((node.to_owned(), address.parse().ok()?))
        });
        Self { file: file.to_owned(), known: pairs.collect() }
    }

    /// Where a neighbour was heard last.
    pub fn of(&self, node: NodeId) -> Option<SocketAddr> {
        self.known.get(&node.to_string()).copied()
    }

    /// Keeps where a neighbour was heard now. Writes only what is news.
    pub fn keep(&mut self, node: NodeId, address: SocketAddr) -> io::Result<()> {
        if self.known.insert(node.to_string(), address) == Some(address) {
            return Ok(());
        }
        self.write()
    }

    /// Forgets a neighbour that is none any more.
    pub fn forget(&mut self, node: NodeId) -> io::Result<()> {
        if self.known.remove(&node.to_string()).is_some() { self.write() } else { Ok(()) }
    }

    fn write(&self) -> io::Result<()> {
        let lines: Vec<String> =
            self.known.iter().map(|(node, address)| format!("{node} {address}\n")).collect();
        let fresh = self.file.with_extension("new");
        fs::write(&fresh, lines.concat())?;
        fs::rename(&fresh, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_outlive_the_process_and_a_damaged_file_is_nothing_known() {
        let name = format!("ondol-addresses-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let _ = fs::remove_file(&file);
        let (one, two) = (NodeId([1; 16]), NodeId([2; 16]));
        let mut addresses = Addresses::read(&file);
        assert_eq!(addresses.of(one), None);
        addresses.keep(one, "10.0.0.7:7464".parse().unwrap()).unwrap();
        addresses.keep(two, "[::1]:9".parse().unwrap()).unwrap();
        addresses.keep(one, "10.0.0.8:7464".parse().unwrap()).unwrap();
        let again = Addresses::read(&file);
        assert_eq!(again.of(one), Some("10.0.0.8:7464".parse().unwrap()));
        assert_eq!(again.of(two), Some("[::1]:9".parse().unwrap()));
        addresses.forget(one).unwrap();
        assert_eq!(Addresses::read(&file).of(one), None);
        assert!(Addresses::read(&file).of(two).is_some());
        fs::write(&file, [0xff, 0xfe, 10]).unwrap();
        assert_eq!(Addresses::read(&file).of(one), None);
        fs::remove_file(&file).unwrap();
    }
}
