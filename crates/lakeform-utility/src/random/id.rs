//! `random_id`

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{Keepers, bytes, keep_despite_nulls, wrong};
use crate::provider::Local;

/// A number that is made up once, in several spellings.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Id {
    /// The prefix and the number in base64.
    #[attr(computed)]
    b64_std: Option<String>,
    /// The prefix and the number in base64, with characters that URLs take as they are.
    #[attr(computed)]
    b64_url: Option<String>,
    /// How many bytes it has.
    #[attr(required, force_new)]
    byte_length: i64,
    /// The prefix and the number in decimal digits.
    #[attr(computed)]
    dec: Option<String>,
    /// The prefix and the number in hexadecimal digits.
    #[attr(computed)]
    hex: Option<String>,
    /// The number in base64, with characters that URLs take as they are.
    #[attr(computed)]
    id: Option<String>,
    /// Values whose change makes up a new number.
    #[attr(optional, force_new)]
    keepers: Option<Keepers>,
    /// What each spelling but `id` begins with.
    #[attr(optional, force_new)]
    prefix: Option<String>,
}

/// `random_id`
pub(crate) struct RandomId;

impl ResourceType for RandomId {
    type Client = Local;
    type Model = Id;
    const NAME: &'static str = "random_id";
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        match change.config.get("byte_length").and_then(Value::as_i64) {
            Some(length) if length < 1 => {
                return Err(wrong("byte_length", format!("byte_length is {length}; expected is 1 or more")));
            }
            _ => {}
        }
        keep_despite_nulls(change, "keepers");
        Ok(())
    }

    async fn read(_: &Context<'_, Local>, prior: Id) -> Result<Option<Id>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Id) -> Result<()> {
        object.spell(&bytes(usize::try_from(object.byte_length).unwrap_or(0))?);
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, _: &Id, _: &mut Id) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Id) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, id: &str) -> Result<Id> {
        let (prefix, number) = id.rsplit_once(',').map_or((None, id), |(prefix, number)| (Some(prefix), number));
        let bytes = URL_SAFE_NO_PAD.decode(number).map_err(|e| {
            let message = format!("{id:?} is no number: NUMBER or PREFIX,NUMBER is expected, in base64 for URLs: {e}");
            ProviderError::invalid(message)
        })?;
        let prefix = prefix.filter(|prefix| !prefix.is_empty()).map(str::to_owned);
        let mut object = Id { byte_length: bytes.len() as i64, prefix, ..Id::default() };
        object.spell(&bytes);
        Ok(object)
    }
}

impl Id {
    fn spell(&mut self, bytes: &[u8]) {
        let id = URL_SAFE_NO_PAD.encode(bytes);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let prefixed = |text: &str| Some(format!("{prefix}{text}"));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.b64_std = prefixed(&STANDARD.encode(bytes));
        self.b64_url = prefixed(&id);
        self.hex = prefixed(&hex);
        self.dec = prefixed(&decimal(bytes));
        self.id = Some(id);
    }
}

/// A number of any size, most significant byte first, in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            (*digit, carry) = ((value % 10) as u8, value / 10);
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_value_in_all_spellings() {
        for (bytes, dec) in [
            (&[0_u8, 0][..], "0"),
            (&[1, 0], "256"),
            (&[0xff; 8], "18446744073709551615"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
        ] {
            assert_eq!(decimal(bytes), dec);
        }
        let mut object = Id { prefix: Some("p-".into()), ..Id::default() };
        object.spell(&[0xfb, 0xff]);
        assert_eq!(object.id.as_deref(), Some("-_8"));
        assert_eq!(object.b64_url.as_deref(), Some("p--_8"));
        assert_eq!(object.b64_std.as_deref(), Some("p-+/8="));
        assert_eq!((object.hex.as_deref(), object.dec.as_deref()), (Some("p-fbff"), Some("p-64511")));
    }
}
