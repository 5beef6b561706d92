//! How much memory the device has, for the worker's offer. The supervisor loads no CUDA, so that for a GPU it asks the
//! driver's own program.

use std::{env, process::Stdio, time::Duration};

use domain::fleet::DeviceKind;
use rustix::system;
use tokio::{process::Command, time::timeout};
use tracing::{info, warn};

/// Longest wait for the driver's program, which wakes sleeping devices.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const PROGRAM: &str = "nvidia-smi";
/// What is asked of it; a driver that does not know the last column yet refuses the first question.
const QUESTIONS: [&str; 2] = ["--query-gpu=uuid,memory.total,mig.mode.current", "--query-gpu=uuid,memory.total"];

/// Bytes of memory of `device`; 0 when they cannot be found out.
pub async fn bytes_of(device: DeviceKind) -> u64 {
    match device {
        DeviceKind::Cpu => main_memory_bytes(),
        DeviceKind::Cuda => cuda_memory_bytes().await.unwrap_or_else(|| {
            warn!(
                "the GPU's memory is unknown, so that sweeps which ask for memory pass this worker by; \
                 give it by --memory-mib (SPILLWAY_MEMORY_MIB)"
            );
            0
        }),
    }
}

fn main_memory_bytes() -> u64 {
    let system = system::sysinfo();
    #[expect(clippy::useless_conversion, reason = "the field is as wide as a machine word")]
    let units = u64::from(system.totalram);
    units * u64::from(system.mem_unit)
}

async fn cuda_memory_bytes() -> Option<u64> {
    let visible = env::var("CUDA_VISIBLE_DEVICES").ok();
    for question in QUESTIONS {
        if let Some(listing) = ask(question).await {
            let mib = smallest_mib(&listing, visible.as_deref())?;
            info!(mib, "memory of the GPU found");
            return Some(mib << 20);
        }
    }
    None
}

async fn ask(question: &str) -> Option<String> {
    let mut program = Command::new(PROGRAM);
    program.args([question, "--format=csv,noheader,nounits"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(ANSWER_LIMIT, program.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The memory in MiB of the device that a process uses, given the driver's listing and what the process may see.
///
/// Where several devices come into question it is the smallest: CUDA counts them in another order than the driver, and a worker
/// must not promise what it may not have. Slices of a divided device are not listed, so that their memory is unknown.
fn smallest_mib(listing: &str, visible: Option<&str>) -> Option<u64> {
    let named = match visible.map(|devices| devices.split(',').next().unwrap_or_default().trim()) {
        Some(slice) if slice.starts_with("MIG-") => return None,
        Some(uuid) if uuid.starts_with("GPU-") => uuid,
        Some(_) | None => "",
    };
    let mut smallest = None;
    for row in listing.lines() {
        let mut columns = row.split(',').map(str::trim);
        let (uuid, memory, divided) = (columns.next()?, columns.next()?, columns.next());
        if !uuid.starts_with(named) {
            continue;
        }
        if divided == Some("Enabled") {
            return None;
        }
        let mib: u64 = memory.parse().ok()?;
        smallest = Some(smallest.map_or(mib, |known: u64| known.min(mib)));
    }
    smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "GPU-aa11, 81559, Disabled\nGPU-bb22, 24576, [N/A]\n";

    #[test]
    fn the_listing_gives_the_memory_of_the_device_that_is_seen() {
        let cases = [
            ("GPU-aa11, 81559, Disabled\n", None, Some(81_559)),
            ("GPU-aa11, 81559\n", Some("0"), Some(81_559)),
            (TWO, None, Some(24_576)),
            (TWO, Some("0"), Some(24_576)),
            (TWO, Some("GPU-aa11"), Some(81_559)),
            (TWO, Some("GPU-aa,GPU-bb22"), Some(81_559)),
            (TWO, Some("GPU-cc"), None),
            (TWO, Some("MIG-dd"), None),
            ("GPU-aa11, 81559, Enabled\n", None, None),
            ("GPU-aa11, [N/A]\n", None, None),
            ("No devices were found\n", None, None),
            ("", None, None),
        ];
        for (listing, visible, expected) in cases {
            assert_eq!(smallest_mib(listing, visible), expected, "{listing:?} {visible:?}");
        }
    }

    #[tokio::test]
    async fn main_memory_is_known() {
        assert!(bytes_of(DeviceKind::Cpu).await > 0);
    }
}
