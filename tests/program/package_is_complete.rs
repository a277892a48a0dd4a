//! What `Cargo.toml` says about the Debian package: each file that it names is in the repository, or is made by the script
//! that builds the package.

use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn package() -> toml::Table {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = manifest["package"]["metadata"]["deb"].clone();
    package.as_table().unwrap().clone()
}

#[test]
fn every_file_of_the_package_exists_or_is_made_by_its_script() {
    let package = package();
    let script = read("deploy/make-deb").replace("$made", "target/package");
    for asset in package["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        if source.starts_with("target/") {
            let made = source.trim_end_matches("/*.1");
            assert!(script.contains(made), "nothing makes {source}");
        } else if let Some((folder, _)) = source.split_once('*') {
            let files = std::fs::read_dir(root().join(folder)).unwrap();
            assert!(files.count() > 0, "{source} is nothing");
        } else {
            assert!(root().join(source).is_file(), "{source}");
        }
    }
    assert!(
        root()
            .join(package["license-file"][0].as_str().unwrap())
            .is_file()
    );
}

#[test]
fn the_package_brings_what_its_unit_needs() {
    let package = package();
    let folder = package["maintainer-scripts"].as_str().unwrap();
    let unit = package["systemd-units"]["unit-name"].as_str().unwrap();
    let service = read(&format!("{folder}/{unit}.service"));
    let value = |key: &str| {
        let line = service.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    // The path of a package and that of an installation by hand differ; systemd looks in both.
    assert!(value("ExecStart=").starts_with("letterpress serve "));
    let (user, home) = (value("User="), value("WorkingDirectory="));
    let users = read(&format!("{folder}/letterpress.sysusers"));
    assert!(
        users.contains(&format!("u {user} ")) && users.contains(&home),
        "{users}"
    );
    let folders = read(&format!("{folder}/letterpress.tmpfile"));
    assert!(
        folders.contains(&format!("d {home} 0700 {user} {user} ")),
        "{folders}"
    );
}
