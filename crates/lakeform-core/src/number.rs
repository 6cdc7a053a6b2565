//! Numbers: 64-bit integers exactly, anything else with 512 bits of precision as in Terraform (`big.Float`, cty).

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use dashu_float::{FBig, round::mode::HalfEven};
use dashu_int::{IBig, UBig, ops::UnsignedAbs};

type Big = FBig<HalfEven, 2>;

/// The precision of a number that is no 64-bit integer, in bits (cty's).
const PRECISION: usize = 512;

/// Beyond ten to this power, either way, a text is no number: nobody means it, and writing it out takes megabytes.
const LARGEST_EXPONENT: usize = 100_000;

/// A number of the language.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Int(i64),
    /// Terraform's numbers are `big.Float`: zero has a sign, which shows (`-0`) and counts for nothing in comparisons.
    NegativeZero,
    Big(Arc<Big>),
}

/// Zero with the sign of a product or quotient of numbers with these signs.
fn zero(negative: bool) -> Number {
    Number(if negative { Repr::NegativeZero } else { Repr::Int(0) })
}

impl From<i64> for Number {
    fn from(v: i64) -> Self {
        Self(Repr::Int(v))
    }
}

impl From<usize> for Number {
    fn from(v: usize) -> Self {
        i64::try_from(v).map_or_else(|_| Self::from_big(Big::from(v)), Self::from)
    }
}

impl Number {
    fn from_big(big: Big) -> Self {
        if big.repr().significand().is_zero() {
            return zero(false);
        }
        match i64::try_from(big.clone()) {
            Ok(int) => Self(Repr::Int(int)),
            Err(_) => Self(Repr::Big(Arc::new(big))),
        }
    }

    fn big(&self) -> Big {
        match &self.0 {
            Repr::Int(v) => Big::from(*v).with_precision(PRECISION).value(),
            Repr::NegativeZero => Big::ZERO.with_precision(PRECISION).value(),
            Repr::Big(v) => (**v).clone(),
        }
    }

    /// The number that a float is, with 53 bits of precision; `None` for NaN and the infinities.
    pub fn from_f64(v: f64) -> Option<Self> {
        if !v.is_finite() {
            return None;
        }
        if v == 0.0 {
            return Some(zero(v.is_sign_negative()));
        }
        let big = Big::try_from(v).ok()?.with_precision(53).value();
        // Beyond what a float tells apart, its digits are those that tell it from its neighbours.
        Some(if v.abs() < 2_f64.powi(53) { Self::from_big(big) } else { Self(Repr::Big(Arc::new(big))) })
    }

    /// A whole number written in a base from 2 to 36, with an optional sign; `None` if it is none.
    pub fn from_radix(text: &str, base: u32) -> Option<Self> {
        if let Ok(int) = i64::from_str_radix(text, base) {
            return Some(Self(Repr::Int(int)));
        }
        let int = IBig::from_str_radix(text, base).ok()?;
        Some(Self::from_big(Big::from(int).with_precision(PRECISION).value()))
    }

    /// The digits of the whole part in a base from 2 to 36, with a minus sign where negative.
    pub fn to_radix(&self, base: u8) -> String {
        let whole = IBig::try_from(self.big().trunc()).unwrap_or_default();
        whole.in_radix(base).to_string()
    }

    /// The value as an `i64`, if it is a whole number that fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(v) => Some(*v),
            Repr::NegativeZero => Some(0),
            Repr::Big(v) => i64::try_from((**v).clone()).ok(),
        }
    }

    /// The nearest `f64`.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(v) => *v as f64,
            Repr::NegativeZero => -0.0,
            Repr::Big(v) => v.to_f64().value(),
        }
    }

    /// Sum
    pub fn add(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) if a.checked_add(*b).is_some() => Self(Repr::Int(a.wrapping_add(*b))),
            (Repr::NegativeZero, _) => other.clone(),
            (_, Repr::NegativeZero) => self.clone(),
            _ => Self::from_big(self.big() + other.big()),
        }
    }

    /// Difference
    pub fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    /// Product
    pub fn mul(&self, other: &Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return zero(self.is_negative() != other.is_negative());
        }
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) if a.checked_mul(*b).is_some() => Self(Repr::Int(a.wrapping_mul(*b))),
            _ => Self::from_big(self.big() * other.big()),
        }
    }

    /// Quotient; `None` when dividing by zero.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if self.is_zero() && !other.is_zero() {
            return Some(zero(self.is_negative() != other.is_negative()));
        }
        match (&self.0, &other.0) {
            (_, Repr::Int(0) | Repr::NegativeZero) => None,
            (Repr::Int(a), Repr::Int(b)) if a.checked_rem(*b) == Some(0) => Some(Self(Repr::Int(a / b))),
            _ => Some(Self::from_big(self.big() / other.big())),
        }
    }

    /// Remainder with the sign of the dividend; `None` when dividing by zero.
    pub fn rem(&self, other: &Self) -> Option<Self> {
        match (&self.0, &other.0) {
            (_, Repr::Int(0) | Repr::NegativeZero) => None,
            (Repr::Int(a), Repr::Int(b)) => Some(Self(Repr::Int(a.wrapping_rem(*b)))),
            (Repr::NegativeZero, _) => Some(zero(!other.is_negative())),
            _ => {
                let (a, b) = (self.big(), other.big());
                let quotient = (a.clone() / b.clone()).trunc();
                Some(Self::from_big(a - quotient * b))
            }
        }
    }

    /// The number with its sign turned.
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Int(0) => zero(true),
            Repr::NegativeZero => zero(false),
            Repr::Int(a) if a.checked_neg().is_some() => Self(Repr::Int(-a)),
            _ => Self::from_big(-self.big()),
        }
    }

    /// The number without its sign.
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The largest whole number not above this.
    pub fn floor(&self) -> Self {
        match &self.0 {
            Repr::Int(_) => self.clone(),
            Repr::NegativeZero => zero(false),
            Repr::Big(v) => Self::from_big(v.floor()),
        }
    }

    /// The smallest whole number not below this.
    pub fn ceil(&self) -> Self {
        match &self.0 {
            Repr::Int(_) => self.clone(),
            Repr::NegativeZero => zero(false),
            Repr::Big(v) => Self::from_big(v.ceil()),
        }
    }

    /// Whether it has no fractional part.
    pub fn is_whole(&self) -> bool {
        self.floor() == *self
    }

    fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Int(0) | Repr::NegativeZero)
    }

    /// Whether it has a minus sign, as negative zero has.
    fn is_negative(&self) -> bool {
        matches!(self.0, Repr::NegativeZero) || self.signum() < 0
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i64 {
        match self.cmp(&Self::from(0_i64)) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.big().cmp(&other.big()),
        }
    }
}

/// The text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is required")]
pub struct ParseNumberError;

impl FromStr for Number {
    type Err = ParseNumberError;

    /// Decimal, with sign, fraction and exponent: `12`, `-0.5`, `+.5`, `1e9`.
    fn from_str(s: &str) -> Result<Self, ParseNumberError> {
        if let Ok(int) = s.parse::<i64>() {
            return Ok(if int == 0 { zero(s.starts_with('-')) } else { Self(Repr::Int(int)) });
        }
        let plain = s.strip_prefix(['-', '+']).unwrap_or(s);
        let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| ParseNumberError)?),
            None => (plain, 0),
        };
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        let rest = mantissa.len() - digits;
        let fits = digits > 0
            && (rest == 0 || rest == 1 && mantissa.contains('.'))
            && digits <= LARGEST_EXPONENT
            && exponent.unsigned_abs() as usize <= LARGEST_EXPONENT;
        if !fits {
            return Err(ParseNumberError);
        }
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let significand: UBig = mantissa.replacen('.', "", 1).parse().map_err(|_| ParseNumberError)?;
        let power = exponent - fraction as i64;
        let scale = UBig::from(10_u8).pow(power.unsigned_abs() as usize);
        let magnitude = if power >= 0 {
            Big::from(significand * scale).with_precision(PRECISION).value()
        } else {
            quotient(&significand, &scale)
        };
        let magnitude = Self::from_big(magnitude);
        Ok(if s.starts_with('-') { magnitude.neg() } else { magnitude })
    }
}

/// The nearest number to `a / b`: the quotient is taken with two bits to spare, the last of which stands for the rest.
fn quotient(a: &UBig, b: &UBig) -> Big {
    use dashu_int::ops::{BitTest, DivRem};
    let shift = (PRECISION + 2 + b.bit_len()).saturating_sub(a.bit_len());
    let (q, r) = (a << shift).div_rem(b);
    let sticky = (q << 1) + UBig::from(u8::from(r != UBig::ZERO));
    let exact = Big::from_parts(sticky.into(), -(shift as isize) - 1);
    exact.with_precision(PRECISION).value()
}

/// The decimal digits of `significand * 2^exponent`, and where the point stands among them: `0.DIGITS * 10^point`.
fn decimal(significand: &UBig, exponent: isize) -> (String, isize) {
    let shift = exponent.unsigned_abs();
    let (digits, behind) = if exponent >= 0 {
        ((significand << shift).to_string(), 0)
    } else {
        ((significand * UBig::from(5_u8).pow(shift)).to_string(), shift as isize)
    };
    let point = digits.len() as isize - behind;
    (digits.trim_end_matches('0').to_owned(), point)
}

/// The fewest digits that, read with this precision, give `significand * 2^exponent` again.
fn shortest(significand: &UBig, exponent: isize, precision: usize) -> (String, isize) {
    use dashu_int::ops::BitTest;
    let (digits, point) = decimal(significand, exponent);
    // The neighbours half a unit in the last place away: with all bits of the precision and one more.
    let Some(shift) = (precision + 1).checked_sub(significand.bit_len()) else { return (digits, point) };
    let (middle, exponent) = (significand << shift, exponent - shift as isize);
    let even = !middle.bit(1);
    let (low, _) = decimal(&(&middle - UBig::ONE), exponent);
    let (high, _) = decimal(&(&middle + UBig::ONE), exponent);
    let at = |s: &str, i: usize| s.as_bytes().get(i).copied().unwrap_or(b'0');
    for i in 0..digits.len() {
        let (l, m, u) = (at(&low, i), at(&digits, i), at(&high, i));
        let down = l != m || even && i + 1 == low.len();
        let up = m != u && (even || m + 1 < u || i + 1 < high.len());
        let nearest_is_up = || {
            let rest = &digits.as_bytes()[i + 1..];
            match rest.first() {
                Some(b'5') if rest.len() == 1 => (m - b'0') % 2 == 1,
                Some(next) => *next >= b'5',
                None => false,
            }
        };
        if down && !(up && nearest_is_up()) {
            return (digits[..=i].trim_end_matches('0').to_owned(), point);
        }
        if up {
            return round_up(&digits[..=i], point);
        }
    }
    (digits, point)
}

/// One more in the last place.
fn round_up(digits: &str, point: isize) -> (String, isize) {
    let kept = digits.trim_end_matches('9');
    match kept.split_at_checked(kept.len().wrapping_sub(1)) {
        Some((head, last)) => {
            let last = last.bytes().next().map_or('1', |b| char::from(b + 1));
            (format!("{head}{last}"), point)
        }
        None => ("1".into(), point + 1),
    }
}

/// The shortest decimal that reads back as the same number, without an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let big = match &self.0 {
            Repr::Int(v) => return write!(f, "{v}"),
            Repr::NegativeZero => return f.write_str("-0"),
            Repr::Big(big) => big,
        };
        let repr = big.repr();
        let significand = repr.significand().clone();
        if significand < IBig::ZERO {
            f.write_str("-")?;
        }
        let (digits, point) = shortest(&significand.unsigned_abs(), repr.exponent(), big.precision().max(1));
        let zeros = |n: isize| "0".repeat(n.unsigned_abs());
        if digits.is_empty() {
            f.write_str("0")
        } else if point <= 0 {
            write!(f, "0.{}{digits}", zeros(point))
        } else if let Some((whole, fraction)) =
            digits.split_at_checked(point.unsigned_abs()).filter(|(_, f)| !f.is_empty())
        {
            write!(f, "{whole}.{fraction}")
        } else {
            write!(f, "{digits}{}", zeros(point - digits.len() as isize))
        }
    }
}

impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::json::number_to_json(self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    /// The answers of `terraform console` 1.11.4.
    #[test]
    fn numbers_print_as_in_terraform() {
        let third = number("1").div(&number("3")).unwrap();
        assert_eq!(third.to_string(), format!("0.{}5", "3".repeat(154)));
        let two_thirds = number("2").div(&number("3")).unwrap();
        assert_eq!(two_thirds.to_string(), format!("0.{}7", "6".repeat(153)));
        assert_eq!(number("0.1").add(&number("0.2")).to_string(), "0.3");
        assert_eq!(number("1e30").to_string(), "1000000000000000000000000000000");
        for text in ["123456789012345678901234567890.5", "9007199254740993", "0.0000000001", "-0.5", "99.99", "1.5"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e400").to_string(), format!("1{}", "0".repeat(400)));
        assert_eq!(number("-2.50").to_string(), "-2.5");
    }

    #[test]
    fn zero_has_a_sign_as_in_terraform() {
        let (zero, negative) = (number("0"), number("-0"));
        let text = |n: Option<Number>| n.map(|n| n.to_string());
        for (found, wanted) in [
            (Some(number("-0.00")), "-0"),
            (Some(zero.neg()), "-0"),
            (Some(negative.neg()), "0"),
            (zero.div(&number("-0.1")), "-0"),
            (zero.div(&number("-521")).and_then(|n| n.div(&number("-0.1"))), "0"),
            (Some(negative.mul(&number("0.5"))), "-0"),
            (Some(number("-1").mul(&zero)), "-0"),
            (Some(negative.mul(&number("-1"))), "0"),
            (Some(negative.add(&zero)), "0"),
            (Some(negative.add(&negative)), "-0"),
            (Some(negative.sub(&zero)), "-0"),
            (Some(zero.sub(&negative)), "0"),
            (negative.rem(&number("5")), "-0"),
            (negative.rem(&number("-5")), "0"),
            (Some(negative.ceil()), "0"),
            (Some(number("-0.5").ceil()), "0"),
            (Number::from_f64(-0.0), "-0"),
        ] {
            assert_eq!(text(found).as_deref(), Some(wanted));
        }
        assert!(zero == negative && negative.signum() == 0 && negative.to_i64() == Some(0));
    }

    #[test]
    fn numbers_parse_as_in_terraform() {
        for (text, same) in [("+5", "5"), (".5", "0.5"), ("5.", "5"), ("1e3", "1000"), ("1.0", "1"), ("00012", "12")] {
            assert_eq!(number(text), number(same), "{text}");
        }
        for text in ["", "0x10", "1_000", " 1", "1 ", "x", "-", ".", "1e", "1.2.3", "1e999999999", "--1", "+-1"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn floats_keep_their_own_precision() {
        assert_eq!(Number::from_f64(2_f64.sqrt()).unwrap().to_string(), "1.4142135623730951");
        assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
        assert_eq!(Number::from_f64(1e21).unwrap().to_string(), "1000000000000000000000");
        assert!(Number::from_f64(f64::NAN).is_none());
    }

    #[test]
    fn radixes() {
        assert_eq!(Number::from_radix("zz", 36).unwrap(), number("1295"));
        assert_eq!(number("255").to_radix(16), "ff");
        assert_eq!(number("-255.9").to_radix(2), "-11111111");
    }
}
