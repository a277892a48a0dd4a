//! Where the demo listens: three free ports of this machine.

use std::path::Path;

use tokio::net::TcpListener;

use super::super::Failure;

/// The ports that are taken where they are free.
const SMTP: u16 = 2525;
const PAGES: u16 = 8025;
const WEB: u16 = 8080;

/// Port numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub smtp: u16,
    pub pages: u16,
    pub web: u16,
}

/// Listeners for the inbox (SMTP and pages) and for the daemon.
pub(super) struct Places {
    pub smtp: TcpListener,
    pub pages: TcpListener,
    pub web: TcpListener,
}

impl Places {
    /// Takes the wanted ports, or others where something listens there already.
    pub(super) async fn take(wanted: Option<Ports>) -> Result<Places, Failure> {
        let wanted = wanted.unwrap_or(Ports {
            smtp: SMTP,
            pages: PAGES,
            web: WEB,
        });
        Ok(Places {
            smtp: listen(wanted.smtp).await?,
            pages: listen(wanted.pages).await?,
            web: listen(wanted.web).await?,
        })
    }

    pub(super) fn ports(&self) -> Result<Ports, Failure> {
        Ok(Ports {
            smtp: port(&self.smtp)?,
            pages: port(&self.pages)?,
            web: port(&self.web)?,
        })
    }
}

fn port(listener: &TcpListener) -> Result<u16, Failure> {
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|e| refused(&e))
}

async fn listen(port: u16) -> Result<TcpListener, Failure> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|e| refused(&e)),
    }
}

fn refused(error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "no free port was found on this machine: {}",
        crate::format::io(error)
    ))
    .at("127.0.0.1")
}

/// The ports that an existing demo's settings name.
pub(super) fn of_settings(settings: &crate::config::Settings) -> Option<Ports> {
    let web = settings.listen.rsplit_once(':')?.1.parse().ok()?;
    Some(Ports {
        smtp: settings.sending.relays.first()?.endpoint.port,
        pages: PAGES,
        web,
    })
}

/// Writes other ports into an existing demo's settings, where the old ones are taken by now.
pub(super) fn rewrite(file: &Path, old: Ports, new: Ports) -> Result<(), Failure> {
    if (old.smtp, old.web) == (new.smtp, new.web) {
        return Ok(());
    }
    let failed = |e: std::io::Error| {
        Failure::new(format!(
            "the settings can't be changed: {}",
            crate::format::io(&e)
        ))
        .at(file.display().to_string())
        .help("Its ports are in use: stop the program that listens there, or choose another folder with --dir.")
    };
    let text = std::fs::read_to_string(file).map_err(failed)?;
    std::fs::write(file, with_ports(&text, old, new)).map_err(failed)
}

fn with_ports(text: &str, old: Ports, new: Ports) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.replace(
            &format!("127.0.0.1:{}\"", old.web),
            &format!("127.0.0.1:{}\"", new.web),
        );
        let is_port = line == format!("port = {}", old.smtp);
        out.push_str(if is_port { "port = " } else { &line });
        if is_port {
            out.push_str(&new.smtp.to_string());
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ports_take_the_place_of_the_old_ones_alone() {
        let text = "listen = \"127.0.0.1:8080\"\npublic_url = \"http://127.0.0.1:8080\"\n# 8080\nport = 2525\n";
        let (old, new) = (
            Ports {
                smtp: 2525,
                pages: 1,
                web: 8080,
            },
            Ports {
                smtp: 25,
                pages: 1,
                web: 81,
            },
        );
        assert_eq!(
            with_ports(text, old, new),
            "listen = \"127.0.0.1:81\"\npublic_url = \"http://127.0.0.1:81\"\n# 8080\nport = 25\n"
        );
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_replaced_by_a_free_one() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let wanted = port(&taken).unwrap();
        assert_ne!(port(&listen(wanted).await.unwrap()).unwrap(), wanted);
    }
}
