//! The parts of a response that concern a question. Other records may be damaged.

use alloc::vec::Vec;

use hickory_proto::{
    op::{Header, Query, ResponseCode},
    rr::{DNSClass, Name, Record, RecordType},
    serialize::binary::{BinDecodable, BinDecoder, DecodeError},
};

use super::question::Asked;

/// The flags of a response, which can be read even if the rest is truncated or damaged.
#[derive(Clone, Copy)]
pub(super) struct Head {
    flags: u16,
}

/// The question section of a message whose other sections have not been read.
pub(super) struct Opening<'a> {
    pub(super) queries: Vec<Query>,
    sections: [u16; 3],
    rest: BinDecoder<'a>,
}

/// The records of a message.
#[derive(Default)]
pub(super) struct Sections {
    pub(super) answers: Vec<Record>,
    pub(super) authorities: Vec<Record>,
    /// The names of damaged records in the answer section.
    damaged: Vec<Name>,
    high_code: u8,
}

impl Head {
    /// Reads the head of a response to the query with this id. Returns `None` for any other
    /// message.
    pub(super) fn of_response(id: u16, bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, ..] = bytes else { return None };
        let flags = u16::from_be_bytes([c, d]);
        let is_response = flags & 0xF800 == 0x8000; // QR is set, and OPCODE is 0
        (is_response && u16::from_be_bytes([a, b]) == id).then_some(Self { flags })
    }

    /// Returns the flag AA.
    pub(super) fn is_authoritative(self) -> bool {
        self.flags & 0x0400 != 0
    }

    /// Returns the flag TC.
    pub(super) fn is_truncated(self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// Returns the flag RA.
    pub(super) fn is_of_recursion(self) -> bool {
        self.flags & 0x0080 != 0
    }

    /// Returns the flag AD.
    pub(super) fn is_authentic(self) -> bool {
        self.flags & 0x0020 != 0
    }

    /// Returns the response code, whose upper bits are in the OPT record (RFC 6891 §6.1.3).
    pub(super) fn code(self, records: Option<&Sections>) -> ResponseCode {
        let high = records.map_or(0, |records| records.high_code);
        let [_, low] = self.flags.to_be_bytes();
        ResponseCode::from(high, low)
    }
}

impl<'a> Opening<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = BinDecoder::new(bytes);
        let Header { counts, .. } = Header::read(&mut rest)?;
        let mut queries = Vec::new();
        for _ in 0..counts.queries {
            queries.push(Query::read(&mut rest)?);
        }
        let sections = [counts.answers, counts.authorities, counts.additionals];
        Ok(Self { queries, sections, rest })
    }

    /// Reads the records that may be relevant to the question.
    ///
    /// # Errors
    ///
    /// Returns an error if the message is truncated.
    pub(super) fn records(mut self, asked: &Asked) -> Result<Sections, DecodeError> {
        let [answers, authorities, additionals] = self.sections;
        let mut records = Sections::default();
        for _ in 0..answers {
            let head = RecordHead::read(&mut self.rest)?;
            if head.kind == RecordType::CNAME || head.kind == asked.kind.into() {
                match head.record(&self.rest) {
                    Ok(record) => records.answers.push(record),
                    Err(_) => records.damaged.push(head.name),
                }
            }
        }
        for _ in 0..authorities {
            let head = RecordHead::read(&mut self.rest)?;
            if matches!(head.kind, RecordType::SOA | RecordType::NS) {
                records.authorities.extend(head.record(&self.rest).ok());
            }
        }
        for _ in 0..additionals {
            let head = RecordHead::read(&mut self.rest)?;
            if head.kind == RecordType::OPT && records.high_code == 0 {
                [records.high_code, ..] = head.ttl.to_be_bytes();
            }
        }
        Ok(records)
    }
}

impl Sections {
    /// Returns whether a record of this name, which might be the answer, is damaged.
    pub(super) fn is_damaged_at(&self, name: &Name) -> bool {
        self.damaged.contains(name)
    }
}

/// The head of a record in a message.
struct RecordHead {
    start: usize,
    name: Name,
    kind: RecordType,
    ttl: u32,
}

impl RecordHead {
    /// Reads a record without its data.
    fn read(from: &mut BinDecoder<'_>) -> Result<Self, DecodeError> {
        let start = from.index();
        let name = Name::read(from)?;
        let kind = RecordType::read(from)?;
        DNSClass::read(from)?;
        let ttl = from.read_u32()?.unverified(/* any is valid */);
        let len = from.read_u16()?.map(usize::from).unverified(/* checked by the next line */);
        from.read_slice(len)?;
        Ok(Self { start, name, kind, ttl })
    }

    fn record(&self, message: &BinDecoder<'_>) -> Result<Record, DecodeError> {
        // A message has at most 65,535 bytes.
        let start = u16::try_from(self.start).unwrap_or(u16::MAX);
        Record::read(&mut message.clone(start))
    }
}
