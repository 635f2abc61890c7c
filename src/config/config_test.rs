//! Precedence and messages of the configuration, text in, text out.

use expect_test::{Expect, expect, expect_file};

use super::{Config, Inputs, reference};

/// A file's text, `NAME=VALUE` variables and `path=value` flags.
fn load(file: &str, environment: &[&str], flags: &[&str]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("onggi.toml");
    std::fs::write(&path, file).unwrap();
    let pair = |text: &&str| text.split_once('=').map(|(a, b)| (a.to_string(), b.to_string())).unwrap();
    let inputs = Inputs {
        file: Some(path.clone()),
        environment: environment.iter().map(pair).collect(),
        flags: flags.iter().map(pair).map(|(path, text)| (format!("--set {path}"), path, text)).collect(),
    };
    Config::load(&inputs).map_err(|error| error.to_string().replace(&path.display().to_string(), "onggi.toml"))
}

fn check_error(file: &str, environment: &[&str], flags: &[&str], expected: Expect) {
    expected.assert_eq(&load(file, environment, flags).unwrap_err());
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let port = |file, environment: &[&str], flags: &[&str]| load(file, environment, flags).unwrap().s3.listen.port();
    let file = "[s3]\nlisten = \"127.0.0.1:1001\"\n";
    let environment = ["ONGGI_S3_LISTEN=127.0.0.1:1002"];
    assert_eq!(port("", &[], &[]), 9000);
    assert_eq!(port(file, &[], &[]), 1001);
    assert_eq!(port(file, &environment, &[]), 1002);
    assert_eq!(port(file, &environment, &["s3.listen=127.0.0.1:1003"]), 1003);
}

#[test]
fn every_kind_of_toml_value_is_read() {
    let config = load(
        "data_dir = \"/srv/onggi\"\n[s3]\ntls = true\ndomains = [\"a.example\", \"b.example\"]\n[gateway]\nrequests_max = 7\n",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(config.node.data_dir.to_str(), Some("/srv/onggi"));
    assert!(config.s3.tls);
    assert_eq!(config.s3.domains, ["a.example", "b.example"]);
    assert_eq!(config.gateway.requests_max.get(), 7);
}

#[test]
fn every_problem_is_reported_at_once_with_its_key_and_source() {
    check_error(
        "[s3]\nlisten = 9000\nlistn = \"x\"\n[gateway]\nidle_timeout = { a = 1 }\n",
        &["ONGGI_WEB_LISTEN=:9001", "ONGGI_S3_TSL=true"],
        &["gateway.requests_max=0"],
        expect![[r#"
            the configuration has 4 problem(s):
              - `gateway.idle_timeout` in onggi.toml: write a text, a number, a truth value or a list
              - ONGGI_S3_TSL: there is no such setting; see `onggi config-reference`
              - `web.listen` from ONGGI_WEB_LISTEN: `:9001` does not parse; write an IP address and a port, like `127.0.0.1:9000` or `[::]:9000`
              - `gateway.requests_max` from --set gateway.requests_max: `0` does not parse; write a whole number of at least 1"#]],
    );
    check_error(
        "[s3]\nlistn = \"x\"\n[nonsense]\na = 1\n",
        &[],
        &[],
        expect![[r#"
            the configuration has 2 problem(s):
              - `nonsense.a` in onggi.toml: there is no such key; see `onggi config-reference`
              - `s3.listn` in onggi.toml: there is no such key; did you mean `s3.listen`?"#]],
    );
}

#[test]
fn plain_http_off_loopback_is_refused_unless_asked_for() {
    check_error(
        "",
        &[],
        &["s3.listen=0.0.0.0:9000"],
        expect![[r#"
            the configuration has 1 problem(s):
              - `s3.listen` is 0.0.0.0:9000, which others can reach, without TLS: set `s3.tls = true` (--tls), or `s3.plain_http = true` if a proxy in front ends TLS"#]],
    );
    assert!(load("", &[], &["s3.listen=0.0.0.0:9000", "s3.tls=true"]).is_ok());
    assert!(load("", &[], &["s3.listen=0.0.0.0:9000", "s3.plain_http=true"]).is_ok());
}

#[test]
fn settings_that_clash_are_refused() {
    check_error(
        "",
        &["ONGGI_TLS_CERTIFICATE=a.pem", "ONGGI_WEB_LISTEN=127.0.0.1:9000", "ONGGI_GATEWAY_IDLE_TIMEOUT=0s"],
        &[],
        expect![[r#"
            the configuration has 3 problem(s):
              - `tls.certificate` is set without `tls.private_key`: set both or none
              - `gateway.idle_timeout` must not be zero: a client could hold its connection for ever
              - `s3.listen` and `web.listen` are both 127.0.0.1:9000: give one of them another port"#]],
    );
}

#[test]
fn a_node_is_reached_by_others() {
    check_error(
        "[cluster]\nzone = \"a b\"\nweight = 20000\n",
        &["ONGGI_CLUSTER_PEER_LISTEN=0.0.0.0:9002"],
        &[],
        expect![[r#"
            the configuration has 3 problem(s):
              - `cluster.weight` must be at most 10000
              - `cluster.zone`: a zone has at most 64 letters, digits or - _ . / :
              - `cluster.peer_listen` is 0.0.0.0:9002, which no other node can call: set `cluster.peer_advertise` to HOST:PORT as others reach this node"#]],
    );
    check_error(
        "",
        &["ONGGI_CLUSTER_PEER_ADVERTISE=10.0.0.1"],
        &["cluster.join=a:1,b"],
        expect![[r#"
            the configuration has 2 problem(s):
              - `cluster.peer_advertise` from ONGGI_CLUSTER_PEER_ADVERTISE: `10.0.0.1` does not parse; an address is written HOST:PORT, like `node2.example:9002` or `[fd00::2]:9002`
              - `cluster.join` from --set cluster.join: `a:1,b` does not parse; an address is written HOST:PORT, like `node2.example:9002` or `[fd00::2]:9002`"#]],
    );
    let config = load("", &[], &["cluster.join=a:1, [fd00::2]:9002", "cluster.peer_advertise=[fd00::1]:9002"]).unwrap();
    assert_eq!(
        config.cluster.join.iter().map(|member| member.0.as_str()).collect::<Vec<_>>(),
        ["a:1", "[fd00::2]:9002"]
    );
    assert_eq!(config.cluster.peer_advertise.unwrap().host(), "[fd00::1]");
}

#[test]
fn variables_that_are_not_ours_are_left_alone() {
    let others = ["PATH=/bin", "ONGGI_ROOT_SECRET_KEY=x", "ONGGI_S3_SERVICE_HOST=10.0.0.1", "ONGGI_S3_PORT_9000_TCP=x"];
    assert!(load("", &others, &[]).is_ok());
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let inputs = Inputs { file: Some("/nonexistent/onggi.toml".into()), ..Inputs::default() };
    let error = Config::load(&inputs).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/onggi.toml: cannot be read"), "{error}");
}

#[test]
fn the_reference_page_is_up_to_date() {
    expect_file!["../../docs/configuration.md"].assert_eq(&reference::markdown());
}
