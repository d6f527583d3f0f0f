//! Asks mail-auth, of which MTA-STS is the TXT record alone: its documentation puts the policy out of its
//! scope. A record is what `MtaStsRecord::parse` reads, and several are what `txt_lookup` makes of them by
//! `parse_records`. It returns no extensions.

#[path = "../../common/lines.rs"]
mod lines;

use mail_auth::{dns::TxtRecordParser, mta_sts::MtaStsRecord};
use serde_json::{Value, json};

fn main() {
    lines::answer_all(|kind, vector| match kind {
        "record" => Some(id(MtaStsRecord::parse(&lines::data(vector)))),
        "recordset" => Some(id(MtaStsRecord::parse_records(&lines::records(vector)))),
        _ => None,
    });
}

fn id(record: mail_auth::Result<MtaStsRecord>) -> Result<Value, String> {
    record.map(|record| json!({"id": record.id})).map_err(|error| error.to_string())
}
