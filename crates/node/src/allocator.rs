//! How the C library holds memory for a node that runs for years on a small computer.
//!
//! glibc gives each thread a heap of its own, keeps what was freed there, and learns from the
//! first proof of a password (19 MB at once) to keep even such blocks. So a node would grow to
//! several times what it uses. glibc reads its settings once, when a process begins: the node
//! therefore begins again with them. Other C libraries do not know the variable, and lose nothing.

use std::{env, os::unix::process::CommandExt, process::Command};

const VARIABLE: &str = "GLIBC_TUNABLES";

/// One heap: of four, each kept some megabytes free below a small block that stayed. Large blocks
/// go back to the system when they are freed, and so does the free end of the heap.
const SETTINGS: &str = "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=131072:\
                        glibc.malloc.trim_threshold=131072";

/// Begins the process again with the settings, unless they (or others of the administrator's) are
/// there. It comes back only if that is so, or if it cannot be done.
pub fn settle() {
    let given = env::var(VARIABLE).unwrap_or_default();
    if given.contains("glibc.malloc.") {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let settings =
        if given.is_empty() { SETTINGS.to_owned() } else { format!("{given}:{SETTINGS}") };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    // What follows runs only if the process was not replaced: a larger node serves too.
    let _ = Command::new(program).arg0(name).args(arguments).env(VARIABLE, settings).exec();
}
