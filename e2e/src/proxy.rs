//! A link that can be cut, slowed down and silenced: a proxy in front of a coordinator or of the database.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

/// Size of the pieces that are passed on, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What lies behind a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// Nothing: connections are closed.
    Nowhere,
    /// A TCP address.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The state of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// All passes at once.
    Clear,
    /// Each piece waits this long.
    Slow(Duration),
    /// Nothing passes, and nobody is told: what a dead machine looks like. What was sent arrives when the link is clear again.
    Silent,
}

/// A running proxy. Dropped, it and its connections end.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<Upstream>,
    weather: watch::Sender<Weather>,
    /// Counts cuts: a connection ends when the count moves on.
    cuts: watch::Sender<u64>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Proxy {
    /// Listens on a free port of this machine. Needs a runtime, on which it then runs.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(upstream: Upstream) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, _) = watch::channel(Weather::Clear);
        let (cuts, _) = watch::channel(0);
        let shared = Arc::new(Shared { upstream: Mutex::new(upstream), weather, cuts });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections elsewhere.
    pub fn lead_to(&self, upstream: Upstream) {
        *self.shared.upstream() = upstream;
    }

    /// Changes what becomes of what is sent.
    pub fn turn(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Ends every connection; new ones are taken.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Shared {
    fn upstream(&self) -> MutexGuard<'_, Upstream> {
        self.upstream.lock().expect("no holder of this lock panics")
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // A connection that is lost before it is taken concerns its client alone.
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut cuts = shared.cuts.subscribe();
            tokio::select! {
                () = serve(client, &shared) => {}
                // Both sides are closed by being dropped.
                _ = cuts.changed() => {}
            }
        });
    }
}

/// Passes bytes both ways until a side ends.
async fn serve(client: TcpStream, shared: &Shared) {
    let _best_effort = client.set_nodelay(true);
    let upstream = shared.upstream().clone();
    let Some(server) = connect(upstream).await else { return };
    let (client_in, client_out) = split(client);
    let (server_in, server_out) = split(server);
    let there = pass(client_in, server_out, shared.weather.subscribe());
    let back = pass(server_in, client_out, shared.weather.subscribe());
    tokio::join!(there, back);
}

async fn connect(upstream: Upstream) -> Option<Box<dyn Stream>> {
    match upstream {
        Upstream::Nowhere => None,
        Upstream::Tcp(address) => {
            let stream = TcpStream::connect(address).await.ok()?;
            let _best_effort = stream.set_nodelay(true);
            Some(Box::new(stream))
        }
        Upstream::Unix(path) => Some(Box::new(UnixStream::connect(path).await.ok()?)),
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Weather>,
) {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece).await.unwrap_or(0);
        // The end waits for good weather too: a dead machine closes nothing.
        loop {
            let now = *weather.borrow_and_update();
            match now {
                Weather::Clear => break,
                Weather::Slow(pause) => {
                    tokio::time::sleep(pause).await;
                    break;
                }
                Weather::Silent => {
                    if weather.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
        if read == 0 || to.write_all(&piece[..read]).await.is_err() {
            let _closed = to.shutdown().await;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it hears.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut input, mut output) = stream.split();
                    tokio::io::copy(&mut input, &mut output).await
                });
            }
        });
        address
    }

    async fn exchange(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
        stream.write_all(b"hello").await?;
        let mut answer = vec![0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn clear_link_passes_everything() {
        let proxy = Proxy::start(Upstream::Tcp(echo().await)).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();

        assert_eq!(exchange(&mut stream).await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn cut_ends_connections_and_new_ones_are_taken() {
        let proxy = Proxy::start(Upstream::Tcp(echo().await)).await.unwrap();
        let mut before = TcpStream::connect(proxy.address()).await.unwrap();
        exchange(&mut before).await.unwrap();

        proxy.cut();

        assert_eq!(before.read(&mut [0; 8]).await.unwrap_or(0), 0);
        let mut after = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(exchange(&mut after).await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn silent_link_keeps_what_was_sent_until_it_is_clear() {
        let proxy = Proxy::start(Upstream::Tcp(echo().await)).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        exchange(&mut stream).await.unwrap();

        proxy.turn(Weather::Silent);
        let mut answer = [0; 5];
        stream.write_all(b"again").await.unwrap();
        let silence = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut answer)).await;
        assert!(silence.is_err());
        proxy.turn(Weather::Clear);

        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"again");
    }
}
