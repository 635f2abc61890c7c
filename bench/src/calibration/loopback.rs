//! Loopback: what one TCP connection carries on this machine, both ends sharing its cores as client and server do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::figures::Figure;

const WRITE_BYTES: usize = 256 << 10;

pub fn measure(period: Duration) -> anyhow::Result<Figure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let receiver = std::thread::spawn(move || -> std::io::Result<u64> {
        let (mut stream, _) = listener.accept()?;
        let (mut buffer, mut received) = (vec![0_u8; WRITE_BYTES], 0_u64);
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(received),
                bytes => received += bytes as u64,
            }
        }
    });
    let mut stream = TcpStream::connect(address)?;
    let buffer = vec![0x5a_u8; WRITE_BYTES];
    let start = Instant::now();
    while start.elapsed() < period {
        stream.write_all(&buffer)?;
    }
    drop(stream);
    let received = receiver.join().map_err(|_| anyhow::anyhow!("the receiver panicked"))??;
    Ok(Figure::new("loopback TCP, one connection", received as f64 / start.elapsed().as_secs_f64() / 1e9, "GB/s"))
}
