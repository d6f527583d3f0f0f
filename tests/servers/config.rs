//! What the servers are told, each in its own language. Paths are relative: they run in a folder of
//! their own.

use crate::{
    site::{Certificate, Place, Site},
    world::Places,
};

/// Knot DNS is the authority for `example`, which it signs, and `example.net`.
pub(crate) fn knot(places: &Places) -> String {
    let (address, port) = (places.address(Place::Common), places.knot);
    format!(
        r#"
server:
    rundir: "."
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "knot.sock"
log:
  - target: stderr
    any: info
database:
    storage: "."
template:
  - id: default
    storage: "."
    file: "%s.zone"
    journal-content: none
    zonefile-sync: -1
zone:
  - domain: example
    dnssec-signing: on
  - domain: example.net
"#
    )
}

/// Unbound asks Knot DNS, which does not know `example.org`, and validates what it has an anchor for.
pub(crate) fn unbound(places: &Places, anchor: &str) -> String {
    let (address, port, knot) = (places.address(Place::Common), places.unbound, places.knot);
    let stubs: String = ["example", "example.net", "example.org"]
        .map(|zone| format!("stub-zone:\n    name: {zone}\n    stub-addr: {address}@{knot}\n"))
        .concat();
    format!(
        r#"
server:
    interface: {address}
    port: {port}
    do-ip6: no
    do-daemonize: no
    do-not-query-localhost: no
    directory: ""
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    module-config: "validator iterator"
    trust-anchor: "{anchor}"
{stubs}"#
    )
}

/// The zone `example`. Absence is believed for 7 s.
pub(crate) fn zone(sites: &[Site], places: &Places, serial: u32) -> String {
    let head = head(places, serial);
    let sites = sites.iter().map(|site| site.zone(places.address(site.place)));
    sites.fold(head, |zone, site| zone + &site)
}

/// The zone `example.net`, of somebody who hosts the mail of others.
pub(crate) fn hosting(places: &Places) -> String {
    let web = places.address(Place::Common);
    head(places, 1) + &format!("web 60 A {web}\n_mta-sts 60 TXT \"v=STSv1; id=1;\"\n")
}

fn head(places: &Places, serial: u32) -> String {
    let address = places.address(Place::Common);
    format!("$TTL 300\n@ SOA ns hostmaster {serial} 3600 600 86400 7\n@ NS ns\nns A {address}\n")
}

/// nginx is every Policy Host.
pub(crate) fn nginx(sites: &[Site], places: &Places) -> String {
    let [common, strict] = [Place::Common, Place::Strict].map(|place| listen(places, place));
    let sites: String = sites.iter().map(|site| server(site, places)).collect();
    format!(
        r#"
daemon off;
master_process off;
pid nginx.pid;
events {{}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    map $sent_http_content_length$sent_http_transfer_encoding $end {{
        "" close;
        chunked chunked;
        default length;
    }}
    log_format seen '$host $ssl_protocol $status $end';
    access_log access.log seen;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate_key key.pem;
    server {{ {common} default_server; ssl_certificate other.pem; return 200; }}
    server {{ {strict} default_server; ssl_reject_handshake on; }}
{sites}}}
"#
    )
}

fn listen(places: &Places, place: Place) -> String {
    format!("listen {}:{} ssl http2", places.address(place), places.web)
}

fn server(site: &Site, places: &Places) -> String {
    if site.certificate == Certificate::None {
        return String::new();
    }
    let Site { name, web, .. } = site;
    let (listen, domain) = (listen(places, site.place), site.domain());
    format!(
        "    server {{ {listen}; server_name mta-sts.{domain}; ssl_certificate {name}.pem; \
         root {name}; {web} }}\n"
    )
}
