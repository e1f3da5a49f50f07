//! Generated input for addresses and for `EMAIL_URL`.

use super::target::{Target, Tls};
use super::{Address, Mailbox};

/// An address that was taken is one word of a command of SMTP and of a header, and is taken again as it is. Of an
/// `EMAIL_URL` that is refused no part of its password is told.
pub fn mailbox(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(mailbox) = Mailbox::parse(&text) {
        let address = mailbox.address.as_str();
        assert_eq!(Address::parse(address).as_ref(), Ok(&mailbox.address), "{address:?}");
        assert!(address.chars().count() <= 254, "{address:?}");
        let odd = |c: char| c.is_control() || c.is_whitespace() || "<>()[]\",;:\\".contains(c);
        assert!(!address.contains(odd), "{address:?}");
        let host = mailbox.address.host();
        assert!(host.is_ascii() && !host.is_empty() && host == host.to_ascii_lowercase(), "{host:?}");
        assert_eq!(Mailbox::parse(&format!("A. B. <{address}>")), Ok(Mailbox::new("A. B.", mailbox.address.clone())));
    }
    let secret = "hush-this-is-the-secret";
    for url in [format!("smtp://{text}"), format!("smtps://a:{secret}{text}"), format!("{text}{secret}@example.org")] {
        match Target::parse(&url) {
            Ok(Target::Server(server)) => {
                assert!(!server.host.is_empty() && server.host.is_ascii(), "{url:?}");
                let open = server.tls == Tls::Opportunistic && server.sign_in.is_some();
                assert!(
                    !open
                        || ["localhost", "::1"].contains(&&*server.host.to_lowercase())
                        || server.host.contains("127.")
                );
                assert_eq!(url.starts_with("smtps://"), server.tls == Tls::Wrapped, "{url:?}");
            }
            Ok(Target::Directory(path)) => assert!(!path.as_os_str().is_empty()),
            Err(why) => assert!(!why.contains("hush") && !why.is_empty(), "{why}"),
        }
    }
}
