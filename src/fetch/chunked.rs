//! The chunked coding of a body (RFC 9112 §7.1).

use super::{FetchError, content::Content};

/// A reader of the chunked coding (RFC 9112 §7.1), byte by byte.
///
/// The reader of ureq-proto is not used: it refuses a line of more than 20 bytes, although an
/// extension may have any length (RFC 9112 §7.1.1), and accepts `+46` and Unicode spaces around a
/// size, for which other readers may find another end of the body.
#[derive(Debug)]
pub(super) enum Chunked {
    Size {
        digits: u8,
        size: u64,
    },
    /// White space after the size, which some servers add as padding.
    Padding(u64),
    /// A chunk extension, which is not interpreted: "A recipient MUST ignore unrecognized chunk
    /// extensions" (RFC 9112 §7.1.1).
    Extension(u64),
    SizeEnd(u64),
    /// The number of bytes of the chunk that have not been received yet.
    Data(u64),
    DataCr,
    DataLf,
    /// A trailer field, or the empty line after the trailer fields.
    Trailer(Line),
    Over,
}

/// The part of a line that has been received.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    Nothing,
    Cr,
    Text,
}

const NO_SIZE: &str = "the size of a chunk is not a hexadecimal number";

/// The maximum number of hexadecimal digits of a `u64`.
const MAX_DIGITS: u8 = 16;

impl Chunked {
    pub(super) const START: Self = Self::Size { digits: 0, size: 0 };

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// Reads the bytes up to the end of the body; further bytes are ignored.
    pub(super) fn read(
        &mut self,
        mut bytes: &[u8],
        content: &mut Content,
    ) -> Result<(), FetchError> {
        while let [first, after @ ..] = bytes {
            (*self, bytes) = match *self {
                Self::Data(left) => {
                    let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (data, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
                    content.push(data)?;
                    let left = left.saturating_sub(data.len() as u64);
                    (if left == 0 { Self::DataCr } else { Self::Data(left) }, rest)
                }
                Self::Over => return Ok(()),
                ref state => (state.next(*first, content)?, after),
            };
        }
        Ok(())
    }

    /// Returns the state after a byte that is no data.
    fn next(&self, byte: u8, content: &Content) -> Result<Self, FetchError> {
        Ok(match (self, byte) {
            (Self::Size { digits, size }, _) if byte.is_ascii_hexdigit() => {
                digit(*digits, *size, byte)?
            }
            // "chunk-size = 1*HEXDIG": nothing before it, and at least one.
            (Self::Size { digits: 0, .. }, _) => return Err(malformed(NO_SIZE)),
            (Self::Size { size, .. } | Self::Padding(size), _) => after_size(*size, byte)?,
            (Self::Extension(size), _) => extension(*size, byte)?,
            (Self::SizeEnd(size), b'\n') => {
                content.check_room(*size)?;
                if *size == 0 { Self::Trailer(Line::Nothing) } else { Self::Data(*size) }
            }
            (Self::SizeEnd(_), _) => {
                return Err(malformed("the size of a chunk ends in a bare CR"));
            }
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::START,
            (Self::DataCr | Self::DataLf, _) => {
                return Err(malformed("a chunk does not end where its size says"));
            }
            (Self::Trailer(line), _) => trailer(*line, byte),
            // Data is read elsewhere.
            (Self::Data(left), _) => Self::Data(*left),
            (Self::Over, _) => Self::Over,
        })
    }
}

/// Adds a digit to the size of a chunk. "Recipients MUST anticipate potentially large hexadecimal
/// numerals and prevent parsing errors due to integer conversion overflows" (RFC 9112 §7.1).
fn digit(digits: u8, size: u64, byte: u8) -> Result<Chunked, FetchError> {
    let value = char::from(byte).to_digit(16).map_or(0, u64::from);
    let digits = digits.saturating_add(1);
    if digits > MAX_DIGITS {
        return Err(malformed("the size of a chunk has more than 16 digits"));
    }
    Ok(Chunked::Size { digits, size: size.wrapping_mul(16).wrapping_add(value) })
}

fn after_size(size: u64, byte: u8) -> Result<Chunked, FetchError> {
    match byte {
        b' ' | b'\t' => Ok(Chunked::Padding(size)),
        b';' => Ok(Chunked::Extension(size)),
        b'\r' => Ok(Chunked::SizeEnd(size)),
        _ => Err(malformed(NO_SIZE)),
    }
}

fn extension(size: u64, byte: u8) -> Result<Chunked, FetchError> {
    match byte {
        b'\r' => Ok(Chunked::SizeEnd(size)),
        b'\t' | b' '..=b'~' | 0x80.. => Ok(Chunked::Extension(size)),
        _ => Err(malformed("a chunk extension has a control character")),
    }
}

/// Returns the state after a byte of a trailer field, whose contents are ignored. Its line may end
/// in a bare LF (RFC 9112 §2.2).
fn trailer(line: Line, byte: u8) -> Chunked {
    match (line, byte) {
        (Line::Nothing | Line::Cr, b'\n') => Chunked::Over,
        (Line::Text, b'\n') => Chunked::Trailer(Line::Nothing),
        (Line::Nothing, b'\r') => Chunked::Trailer(Line::Cr),
        _ => Chunked::Trailer(Line::Text),
    }
}

fn malformed(problem: &str) -> FetchError {
    FetchError::Malformed(problem.into())
}
