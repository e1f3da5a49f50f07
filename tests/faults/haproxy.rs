//! HAProxy in front of a site's two processes, with the settings of `deploy/haproxy.cfg`: what is said there is what is
//! tried here.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use crate::site::Site;
use crate::support::services::free_port;
use crate::support::until;

const DEPLOYED: &str = include_str!("../../deploy/haproxy.cfg");

/// A running HAProxy; ended when dropped.
pub struct HaProxy {
    child: Child,
    pub url: String,
    log: PathBuf,
}

impl HaProxy {
    /// Starts it and waits until it passes requests on.
    pub async fn start(site: &Site) -> Self {
        let port = free_port();
        let config = site.dir.path().join("haproxy.cfg");
        std::fs::write(&config, here(port, [site.port(0), site.port(1)])).expect("the settings can be written");
        let log = site.dir.path().join("haproxy.log");
        let file = std::fs::File::create(&log).expect("the log can be written");
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(&config)
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("HAProxy is installed (Debian: haproxy)");
        let proxy = Self { child, url: format!("http://127.0.0.1:{port}"), log };
        let client = crate::support::server::Client::new(&proxy.url);
        let answered = until("HAProxy to pass requests on", Duration::from_secs(10), || async {
            client.attempt("GET", "/healthz", &[], None).await.ok().filter(|answer| answer.status == 200)
        });
        answered.await;
        proxy
    }

    /// How often its checks took a server out because it said that it drains.
    pub fn taken_out(&self) -> u64 {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let down = |line: &&str| line.starts_with("Server chatd/") && line.contains(" is DOWN");
        log.lines().filter(down).filter(|line| line.contains("code: 503")).count() as u64
    }

    /// Whether its checks ever left it without a server.
    pub fn had_none(&self) -> bool {
        std::fs::read_to_string(&self.log).unwrap_or_default().contains("has no server available")
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The deployed settings, with what depends on the place replaced: addresses, the certificate, how many descriptors there
/// are, and how many connections one address may have, since all clients of a test have the same. Each of these must be
/// there once, or the file has changed and this must too.
fn here(port: u16, servers: [u16; 2]) -> String {
    let changes = [
        ("maxconn 20000", "maxconn 4000".to_owned()),
        ("bind :80\n", format!("bind 127.0.0.1:{port}\n")),
        ("bind :443 ssl crt /etc/ssl/chat.example.org/both.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2\n", String::new()),
        ("http-request redirect scheme https code 301 unless { ssl_fc }\n", String::new()),
        ("sc0_conn_cur gt 100", "sc0_conn_cur gt 4000".to_owned()),
        ("server one 127.0.0.1:8000", format!("server one 127.0.0.1:{}", servers[0])),
        ("server two 127.0.0.1:8001", format!("server two 127.0.0.1:{}", servers[1])),
    ];
    changes.iter().fold(DEPLOYED.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "deploy/haproxy.cfg has changed: {from}");
        text.replace(from, to)
    })
}
