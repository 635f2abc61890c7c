//! Dial: opens a connection to a node and makes sure that it is the one.
//! Owns: the steps TCP, TLS, hello out, hello in, within the handshake's limit.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::format::Record;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::frame::{Frame, FrameReader, HELLO_BYTES_MAX, Outgoing};
use super::hello::{Hello, REMOVED};
use super::write::FrameWriter;
use crate::error::{Error, ErrorKind, Result};

pub type DialedReader = FrameReader<ReadHalf<TlsStream<TcpStream>>>;
pub type DialedWriter = FrameWriter<WriteHalf<TlsStream<TcpStream>>>;

pub struct Dial<'a> {
    pub address: &'a str,
    pub config: Arc<ClientConfig>,
    pub server_name: ServerName<'static>,
    pub hello: Hello,
    pub connect: Duration,
    pub handshake: Duration,
    pub stall: Duration,
}

pub struct Dialed {
    pub reader: DialedReader,
    pub writer: DialedWriter,
    /// What the other side says of itself; its cluster and protocol are checked.
    pub hello: Hello,
}

/// Why there is no connection.
struct Failed {
    kind: ErrorKind,
    why: String,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self { kind: ErrorKind::Unavailable, why }
    }
}

impl Dial<'_> {
    /// The error is `Unavailable`, or `hello::REMOVED`; no call was sent.
    pub async fn dial(self) -> Result<Dialed> {
        let (address, limit) = (self.address.to_owned(), self.handshake);
        let connected = tokio::time::timeout(limit, self.shake_hands()).await;
        let connected = connected.unwrap_or_else(|_| Err(format!("not within {limit:?}").into()));
        connected.map_err(|Failed { kind, why }| Error::new(kind, format!("connect to {address}: {why}")))
    }

    async fn shake_hands(self) -> std::result::Result<Dialed, Failed> {
        let tcp = tokio::time::timeout(self.connect, TcpStream::connect(self.address)).await;
        let tcp = tcp.map_err(|_| format!("no answer within {:?}", self.connect))?.map_err(text)?;
        tcp.set_nodelay(true).map_err(text)?;
        let tls = TlsConnector::from(self.config).connect(self.server_name, tcp).await.map_err(text)?;
        let (read, write) = tokio::io::split(tls);
        let (mut reader, mut writer) = (FrameReader::new(read, self.stall), FrameWriter::new(write, self.stall));
        writer.send(&Outgoing::hello(&self.hello.to_bytes())).await.map_err(text)?;
        // TLS 1.3 lets a client finish before the server has looked at its certificate: what is wrong with it comes here.
        let hello = match reader.next(HELLO_BYTES_MAX).await.map_err(text)? {
            Some(Frame::Hello(record)) => Hello::from_bytes(&record).map_err(|error| error.to_string())?,
            Some(Frame::Failure { kind: REMOVED, text, .. }) => return Err(Failed { kind: REMOVED, why: text }),
            Some(Frame::Failure { text, .. }) => return Err(format!("it refuses: {text}").into()),
            Some(_) => return Err("it does not say who it is".to_owned().into()),
            None => return Err("it closed the connection without a word".to_owned().into()),
        };
        hello.check(&self.hello.cluster)?;
        Ok(Dialed { reader, writer, hello })
    }
}

fn text(error: io::Error) -> String {
    error.to_string()
}
