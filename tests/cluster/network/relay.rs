//! Relay: what a node sends to others takes a detour through a program that holds each packet back for a while, and loses some.
//! Packets, not connections: TCP itself sees the delay and the loss, and a cut still cuts. The kernel's `netem` would do the same, but many
//! kernels are built without it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::ip;

/// Packets come in through a TUN device and leave, late, through the real one. Beyond some number that wait they are lost, as on a
/// real link.
const RELAY: &str = "import collections, fcntl, os, random, select, socket, struct, sys, time
DELAY, LOST, PACKETS_MAX, TUNSETIFF, IFF_TUN_NO_PI = float(sys.argv[1]), float(sys.argv[2]), 20000, 0x400454CA, 0x1001
tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', b'relay0', IFF_TUN_NO_PI))
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'node0')
print('ready', flush=True)
late = collections.deque()
while True:
    wait = max(0, late[0][0] - time.monotonic()) if late else None
    if select.select([tun], [], [], wait)[0]:
        try:
            for _ in range(64):
                packet = os.read(tun, 65536)
                if packet[0] >> 4 == 4 and len(late) < PACKETS_MAX and random.random() >= LOST:
                    late.append((time.monotonic() + DELAY, packet))
        except BlockingIOError:
            pass
    while late and late[0][0] <= time.monotonic():
        packet = late.popleft()[1]
        try:
            wire.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
        except OSError:
            pass
";
const DEVICE: &str = "relay0";

/// What becomes of packets.
#[derive(Clone, Copy)]
pub struct BadLink {
    pub delay: Duration,
    pub lost_per_mille: u32,
}

pub struct Relay {
    program: Child,
}

impl Relay {
    /// `None`: this machine has no TUN devices, or no Python.
    pub fn new(space: &str, subnet: &str, address: &str, link: BadLink) -> Option<Self> {
        let [delay, lost] =
            [link.delay.as_secs_f64(), f64::from(link.lost_per_mille) / 1000.0].map(|part| part.to_string());
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space, "python3", "-c", RELAY, &delay, &lost]);
        let mut program = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut greeting = String::new();
        let _ = BufReader::new(program.stdout.take()?).read_line(&mut greeting);
        let relay = Self { program };
        let made = greeting == "ready\n"
            && ip(&["-n", space, "link", "set", DEVICE, "up"])
            && ip(&["-n", space, "route", "add", subnet, "dev", DEVICE, "src", address]);
        made.then_some(relay)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The device goes with it, and the route with the device.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
