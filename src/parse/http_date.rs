//! Dates of HTTP headers (RFC 9110 §5.6.7).

use nom::{
    Parser,
    branch::alt,
    bytes::complete::{tag, take_while_m_n},
    character::complete::{alpha1, char},
    combinator::{all_consuming, map_opt, map_res},
    sequence::{delimited, preceded, separated_pair, terminated},
};
use time::{Date, Month, Time, UtcDateTime};

use super::lexical::Lexed;

/// `HTTP-date = IMF-fixdate / obs-date`
///
/// "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date
/// formats." The day of the week is not compared with the date.
pub(crate) fn http_date(input: &[u8]) -> Lexed<'_, UtcDateTime> {
    all_consuming(alt((imf_fixdate, rfc850_date, asctime_date))).parse(input)
}

/// `IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT`
fn imf_fixdate(input: &[u8]) -> Lexed<'_, UtcDateTime> {
    let date1 = (terminated(number(2), char(' ')), terminated(month, char(' ')), number(4));
    let date = map_opt(date1, |(day, month, year)| date(year, month, day));
    zoned(date).parse(input)
}

/// `rfc850-date = day-name-l "," SP date2 SP time-of-day SP GMT`
fn rfc850_date(input: &[u8]) -> Lexed<'_, UtcDateTime> {
    let date2 = (terminated(number(2), char('-')), terminated(month, char('-')), number(2));
    // In RFC 9110 the century depends on the current year, which is not known here. Until 2069 both
    // agree on all dates that are not decades away.
    let year = |year| {
        if year < 70 { 2000_u16.saturating_add(year) } else { 1900_u16.saturating_add(year) }
    };
    let date = map_opt(date2, |(day, month, short)| date(year(short), month, day));
    zoned(date).parse(input)
}

/// `asctime-date = day-name SP date3 SP time-of-day SP year`
fn asctime_date(input: &[u8]) -> Lexed<'_, UtcDateTime> {
    let day = alt((number(2), preceded(char(' '), number(1))));
    let date3 = separated_pair(month, char(' '), day);
    let all = (
        delimited((alpha1, char(' ')), date3, char(' ')),
        time_of_day,
        preceded(char(' '), number(4)),
    );
    map_opt(all, |((month, day), time, year)| Some(UtcDateTime::new(date(year, month, day)?, time)))
        .parse(input)
}

/// `day-name "," SP … SP time-of-day SP GMT`
fn zoned<'a>(
    date: impl Parser<&'a [u8], Output = Date, Error = ()>,
) -> impl Parser<&'a [u8], Output = UtcDateTime, Error = ()> {
    let date = delimited((alpha1, tag(", ")), date, char(' '));
    (date, terminated(time_of_day, tag(" GMT"))).map(|(date, time)| UtcDateTime::new(date, time))
}

/// `time-of-day = hour ":" minute ":" second`; a leap second is the one before it.
fn time_of_day(input: &[u8]) -> Lexed<'_, Time> {
    let parts = (terminated(number(2), char(':')), terminated(number(2), char(':')), number(2));
    map_opt(parts, |(hour, minute, second)| {
        let second: u8 = small(second)?;
        Time::from_hms(small(hour)?, small(minute)?, if second == 60 { 59 } else { second }).ok()
    })
    .parse(input)
}

fn month(input: &[u8]) -> Lexed<'_, Month> {
    alt((
        alt((
            tag("Jan").map(|_| Month::January),
            tag("Feb").map(|_| Month::February),
            tag("Mar").map(|_| Month::March),
            tag("Apr").map(|_| Month::April),
            tag("May").map(|_| Month::May),
            tag("Jun").map(|_| Month::June),
        )),
        alt((
            tag("Jul").map(|_| Month::July),
            tag("Aug").map(|_| Month::August),
            tag("Sep").map(|_| Month::September),
            tag("Oct").map(|_| Month::October),
            tag("Nov").map(|_| Month::November),
            tag("Dec").map(|_| Month::December),
        )),
    ))
    .parse(input)
}

fn number<'a>(digits: usize) -> impl Parser<&'a [u8], Output = u16, Error = ()> {
    map_res(take_while_m_n(digits, digits, |byte: u8| byte.is_ascii_digit()), |found: &[u8]| {
        core::str::from_utf8(found).map_err(drop)?.parse::<u16>().map_err(drop)
    })
}

fn date(year: u16, month: Month, day: u16) -> Option<Date> {
    Date::from_calendar_date(year.into(), month, small(day)?).ok()
}

fn small(number: u16) -> Option<u8> {
    number.try_into().ok()
}
