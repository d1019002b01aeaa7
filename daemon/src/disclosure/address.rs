//! Addresses of people as others see them.

/// Shown at each end of a long address, in characters.
const END_CHARS: usize = 2;
/// From here on it is long.
const LONG_CHARS: usize = 9;

/// An address by which whoever knows it recognizes it, and nobody can use it: `+1…67`, `ad…q7`.
#[must_use]
pub fn shortened(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    let (begin, end) = match chars.len() >= LONG_CHARS {
        true => (END_CHARS, END_CHARS),
        false => (1, 0),
    };
    let shown = chars.iter().take(begin).chain(['…'].iter());
    shown.chain(&chars[chars.len() - end..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_recognized_and_not_used() {
        for (address, shown) in [
            ("+15551234567", "+1…67"),
            ("ada@example.com", "ad…om"),
            ("ünï-tøpïcß", "ün…cß"),
            ("ada-x7Kq", "a…"),
            ("", "…"),
        ] {
            assert_eq!(shortened(address), shown);
        }
    }
}
