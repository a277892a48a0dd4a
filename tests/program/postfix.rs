//! A Postfix of its own, in a folder of its own: STARTTLS with login on one port, implicit TLS on another, mail
//! for readers.example into a Maildir. Its master must be started by root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::newsletter::{free_port, until};
use crate::sink::is_root;

pub(crate) const USER: &str = "akira@relay.test";
pub(crate) const PASSWORD: &str = "open-sesame";

/// What `openssl ca` must be told.
const OFFICE: &str = "[ca]\ndefault_ca = office\n[office]\ndatabase = index\nserial = serial\nnew_certs_dir = .\n\
                      default_md = sha256\npolicy = policy\n[policy]\ncommonName = supplied\n";

pub(crate) struct Postfix {
    folder: TempDir,
    pub starttls: u16,
    pub implicit: u16,
}

impl Postfix {
    /// Starts it with a certificate for `name`.
    pub(crate) fn start(name: &str) -> Postfix {
        Self::start_with(name, "20491231235959Z")
    }

    /// Starts it with a certificate for `name` that was good for the January of 2020.
    pub(crate) fn start_expired(name: &str) -> Postfix {
        Self::start_with(name, "20200131235959Z")
    }

    fn start_with(name: &str, good_until: &str) -> Postfix {
        assert!(
            is_root(),
            "Postfix's master is started by root: run this test as root"
        );
        let folder = tempfile::Builder::new()
            .prefix("letterpress-postfix-")
            .tempdir()
            .unwrap();
        let postfix = Postfix {
            folder,
            starttls: free_port(),
            implicit: free_port(),
        };
        postfix.prepare(name, good_until);
        postfix
            .postfix("start")
            .unwrap_or_else(|said| panic!("postfix start: {said}"));
        for port in [postfix.starttls, postfix.implicit] {
            until("Postfix to listen", || {
                std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
            });
        }
        postfix
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The root of its certificate.
    fn root(&self) -> PathBuf {
        self.at("root.pem")
    }

    /// The lines below `[relay.main]`.
    pub(crate) fn relay(&self, tls: &str) -> String {
        let port = if tls == "implicit" {
            self.implicit
        } else {
            self.starttls
        };
        format!(
            "host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nca_file = \"{}\"\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"",
            self.root().display()
        )
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// The mails that were delivered into the Maildir.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        let Ok(folder) = std::fs::read_dir(self.at("box/new")) else {
            return Vec::new();
        };
        folder
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }

    fn prepare(&self, name: &str, good_until: &str) {
        let root = self.folder.path();
        for (folder, owner) in [
            ("conf", "root"),
            ("conf/sasl", "root"),
            ("queue", "root"),
            ("data", "postfix"),
            ("box", "nobody"),
        ] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
            done(Command::new("chown").arg(owner).arg(root.join(folder)));
        }
        done(Command::new("chmod").args(["755"]).arg(root));
        self.certify(name, good_until);
        std::fs::write(root.join("conf/main.cf"), main_cf(root)).unwrap();
        std::fs::write(
            root.join("conf/master.cf"),
            master_cf(self.starttls, self.implicit),
        )
        .unwrap();
        std::fs::write(
            root.join("conf/sasl/smtpd.conf"),
            format!(
                "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: PLAIN LOGIN\n",
                root.join("conf/sasldb").display()
            ),
        )
        .unwrap();
        let (user, realm) = USER.split_once('@').unwrap();
        let mut save = Command::new("saslpasswd2");
        save.args(["-c", "-p", "-f"])
            .arg(root.join("conf/sasldb"))
            .args(["-u", realm, user]);
        let mut save = save
            .stdin(Stdio::piped())
            .spawn()
            .expect("saslpasswd2 of Debian's package sasl2-bin");
        std::io::Write::write_all(&mut save.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
        assert!(save.wait().unwrap().success());
        done(
            Command::new("chmod")
                .arg("644")
                .arg(root.join("conf/sasldb")),
        );
    }

    /// Makes a root and a certificate of it; rustls takes no root for a server's own certificate.
    fn certify(&self, name: &str, good_until: &str) {
        let key = |file: &str| {
            done(
                openssl()
                    .args([
                        "genpkey",
                        "-algorithm",
                        "EC",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-out",
                    ])
                    .arg(self.at(file)),
            );
        };
        key("root.pem.key");
        key("key.pem");
        done(
            openssl()
                .args([
                    "req",
                    "-x509",
                    "-days",
                    "30",
                    "-subj",
                    "/CN=A root for tests",
                    "-key",
                ])
                .arg(self.at("root.pem.key"))
                .arg("-out")
                .arg(self.root()),
        );
        let request = self.at("request.pem");
        done(
            openssl()
                .args(["req", "-new", "-subj", &format!("/CN={name}"), "-key"])
                .arg(self.at("key.pem"))
                .arg("-out")
                .arg(&request),
        );
        // `openssl x509` can't set the day from which a certificate is good; `openssl ca` wants a folder of its own.
        let office = self.at("office");
        std::fs::create_dir(&office).unwrap();
        for (file, text) in [("index", ""), ("serial", "02\n"), ("office.cnf", OFFICE)] {
            std::fs::write(office.join(file), text).unwrap();
        }
        let extensions = self.at("extensions");
        std::fs::write(
            &extensions,
            format!("subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n"),
        )
        .unwrap();
        done(
            openssl()
                .current_dir(&office)
                .args([
                    "ca",
                    "-batch",
                    "-notext",
                    "-config",
                    "office.cnf",
                    "-startdate",
                    "20200101000000Z",
                ])
                .args(["-enddate", good_until, "-cert"])
                .arg(self.root())
                .arg("-keyfile")
                .arg(self.at("root.pem.key"))
                .arg("-extfile")
                .arg(&extensions)
                .arg("-in")
                .arg(&request)
                .arg("-out")
                .arg(self.at("cert.pem")),
        );
    }

    /// Runs Postfix's own command; gives what it says where it fails.
    fn postfix(&self, what: &str) -> Result<(), String> {
        let mut command = Command::new("postfix");
        command
            .arg("-c")
            .arg(self.at("conf"))
            .arg(what)
            .stdin(Stdio::null());
        let output = command.output().expect("Debian's package postfix");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &self.log();
        if output.status.success() {
            Ok(())
        } else {
            Err(said)
        }
    }
}

fn openssl() -> Command {
    let mut command = Command::new("openssl");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn done(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(status.success(), "{command:?}: {status}");
}

fn main_cf(root: &Path) -> String {
    let root = root.display();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {root}/queue\ndata_directory = {root}/data\n\
         mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = relay.test\nmydestination =\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         maillog_file = {root}/log\nmaillog_file_prefixes = {root}\n\
         virtual_mailbox_domains = readers.example\nvirtual_mailbox_base = {root}\n\
         virtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
         smtpd_tls_cert_file = {root}/cert.pem\nsmtpd_tls_key_file = {root}/key.pem\n\
         smtpd_tls_security_level = encrypt\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\n\
         smtpd_sasl_path = smtpd\ncyrus_sasl_config_path = {root}/conf/sasl\n\
         smtpd_sasl_security_options = noanonymous\n\
         smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
         smtpd_recipient_restrictions = permit_sasl_authenticated, reject\nsmtputf8_enable = yes\n"
    )
}

fn master_cf(starttls: u16, implicit: u16) -> String {
    format!(
        "127.0.0.1:{starttls} inet n - n - - smtpd\n\
         127.0.0.1:{implicit} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         proxymap unix - - n - - proxymap\nvirtual unix - n n - - virtual\nerror unix - - n - - error\n\
         retry unix - - n - - error\ndiscard unix - - n - - discard\nanvil unix - - n - 1 anvil\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n"
    )
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Postfix's log:\n{}", self.log());
        }
        let _ = self.postfix("stop");
    }
}
