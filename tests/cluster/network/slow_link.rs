//! Slow link: what a node sends to others takes a detour through a program that holds each packet back for a while.
//! A relay of packets, not of connections: TCP itself sees the delay, and a cut still cuts. The kernel's `netem` would do the same, but
//! many kernels are built without it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::ip;

/// Packets come in through a TUN device and leave, late, through the real one. Beyond some number that wait they are lost, as on a
/// real link.
const RELAY: &str = "import collections, fcntl, os, select, socket, struct, sys, time
DELAY, PACKETS_MAX, TUNSETIFF, IFF_TUN_NO_PI = float(sys.argv[1]), 20000, 0x400454CA, 0x1001
tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', b'slow0', IFF_TUN_NO_PI))
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
                if packet[0] >> 4 == 4 and len(late) < PACKETS_MAX:
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
const DEVICE: &str = "slow0";

pub struct SlowLink {
    relay: Child,
}

impl SlowLink {
    /// `None`: this machine has no TUN devices, or no Python.
    pub fn new(space: &str, subnet: &str, address: &str, delay: Duration) -> Option<Self> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space, "python3", "-c", RELAY, &delay.as_secs_f64().to_string()]);
        let mut relay = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut greeting = String::new();
        let _ = BufReader::new(relay.stdout.take()?).read_line(&mut greeting);
        let link = Self { relay };
        let made = greeting == "ready\n"
            && ip(&["-n", space, "link", "set", DEVICE, "up"])
            && ip(&["-n", space, "route", "add", subnet, "dev", DEVICE, "src", address]);
        made.then_some(link)
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        // The device goes with it, and the route with the device.
        let _ = self.relay.kill();
        let _ = self.relay.wait();
    }
}
