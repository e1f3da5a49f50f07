//! What the mails say that accounts get, in the languages of the client. `{site}` stands for where people find chatd,
//! `{name}` for whose account it is about.
//!
//! To add a language: its letters in [`ALL`], beside its words in `http/words.rs`.

use crate::mail::Letter;

/// A letter in one language.
pub struct Text {
    subject: &'static str,
    before: &'static [&'static str],
    /// What the link says, if there is one.
    link: &'static str,
    after: &'static [&'static str],
}

impl Text {
    /// The letter about this account; `url` is where its link leads.
    pub fn about(&self, site: &str, name: &str, url: &str) -> Letter {
        // The name last: it may be anything.
        let filled = |text: &str| text.replace("{site}", site).replace("{name}", name);
        let paragraphs =
            |letter: Letter, texts: &[&str]| texts.iter().fold(letter, |letter, text| letter.paragraph(&filled(text)));
        let letter = paragraphs(Letter::new(&filled(self.subject)), self.before);
        let letter = if self.link.is_empty() { letter } else { letter.link(self.link, url) };
        paragraphs(letter, self.after)
    }
}

/// The letters of one language.
pub struct Letters {
    lang: &'static str,
    pub reset: Text,
    pub confirm_email: Text,
    pub confirm_sign_up: Text,
    /// To somebody who has an account, when one was to be made with the same address.
    pub known: Text,
    pub password_changed: Text,
    /// To the address that was the account's.
    pub email_changed: Text,
}

/// The letters of a language; English if there are none.
pub fn in_language(lang: &str) -> &'static Letters {
    ALL.iter().find(|letters| letters.lang == lang).unwrap_or(&ALL[0])
}

const ALL: &[Letters] = &[
    Letters {
        lang: "en",
        reset: Text {
            subject: "Choose a new password",
            before: &["Hello {name},", "somebody asked for a new password for your account at {site}."],
            link: "Choose a new password",
            after: &[
                "The link works once, within an hour.",
                "If it was not you, there is nothing to do: your password stays as it is.",
            ],
        },
        confirm_email: Text {
            subject: "Confirm your new address",
            before: &["Hello {name},", "this is to be the address of your account at {site}."],
            link: "Confirm the address",
            after: &[
                "The link works once, within an hour. After it, sign in again on your other devices.",
                "If you know nothing of this, there is nothing to do.",
            ],
        },
        confirm_sign_up: Text {
            subject: "Confirm your account",
            before: &["Hello {name},", "somebody wants to make an account at {site} with your address."],
            link: "Make the account",
            after: &[
                "The link works once, within a day.",
                "If it was not you, there is nothing to do: without the link no account is made.",
            ],
        },
        known: Text {
            subject: "You have an account already",
            before: &[
                "Hello {name},",
                "somebody wants to make an account at {site} with your address. You have one already: {name}.",
            ],
            link: "Forgot the password?",
            after: &["If it was not you, there is nothing to do."],
        },
        password_changed: Text {
            subject: "Your password was changed",
            before: &[
                "Hello {name},",
                "the password of your account at {site} was changed, and all other devices were signed out.",
                "If it was not you, choose a new password now, and tell those who run the server.",
            ],
            link: "Choose a new password",
            after: &[],
        },
        email_changed: Text {
            subject: "The address of your account was changed",
            before: &[
                "Hello {name},",
                "your account at {site} has another address now. This is the last mail to this one.",
                "If it was not you, tell those who run the server.",
            ],
            link: "",
            after: &[],
        },
    },
    Letters {
        lang: "de",
        reset: Text {
            subject: "Ein neues Passwort wählen",
            before: &["Hallo {name},", "jemand hat für dein Konto bei {site} um ein neues Passwort gebeten."],
            link: "Ein neues Passwort wählen",
            after: &[
                "Der Link gilt einmal, eine Stunde lang.",
                "Wenn du das nicht warst, ist nichts zu tun: Dein Passwort bleibt, wie es ist.",
            ],
        },
        confirm_email: Text {
            subject: "Deine neue Adresse bestätigen",
            before: &["Hallo {name},", "dies soll die Adresse deines Kontos bei {site} werden."],
            link: "Adresse bestätigen",
            after: &[
                "Der Link gilt einmal, eine Stunde lang. Melde dich danach auf deinen anderen Geräten neu an.",
                "Wenn du davon nichts weißt, ist nichts zu tun.",
            ],
        },
        confirm_sign_up: Text {
            subject: "Dein Konto bestätigen",
            before: &["Hallo {name},", "jemand möchte bei {site} mit deiner Adresse ein Konto anlegen."],
            link: "Konto anlegen",
            after: &[
                "Der Link gilt einmal, einen Tag lang.",
                "Wenn du das nicht warst, ist nichts zu tun: Ohne den Link entsteht kein Konto.",
            ],
        },
        known: Text {
            subject: "Du hast schon ein Konto",
            before: &[
                "Hallo {name},",
                "jemand möchte bei {site} mit deiner Adresse ein Konto anlegen. Du hast schon eines: {name}.",
            ],
            link: "Passwort vergessen?",
            after: &["Wenn du das nicht warst, ist nichts zu tun."],
        },
        password_changed: Text {
            subject: "Dein Passwort wurde geändert",
            before: &[
                "Hallo {name},",
                "das Passwort deines Kontos bei {site} wurde geändert; alle anderen Geräte wurden abgemeldet.",
                "Wenn du das nicht warst, wähle jetzt ein neues Passwort und sage es denen, die den Server betreiben.",
            ],
            link: "Ein neues Passwort wählen",
            after: &[],
        },
        email_changed: Text {
            subject: "Die Adresse deines Kontos wurde geändert",
            before: &[
                "Hallo {name},",
                "dein Konto bei {site} hat jetzt eine andere Adresse. Dies ist die letzte Mail an diese.",
                "Wenn du das nicht warst, sage es denen, die den Server betreiben.",
            ],
            link: "",
            after: &[],
        },
    },
    Letters {
        lang: "ar",
        reset: Text {
            subject: "اختيار كلمة مرور جديدة",
            before: &["مرحبًا {name}،", "طلب أحدهم كلمة مرور جديدة لحسابك في {site}."],
            link: "اختيار كلمة مرور جديدة",
            after: &["يعمل الرابط مرة واحدة خلال ساعة.", "إن لم تكن أنت فلا داعي لفعل شيء: تبقى كلمة مرورك كما هي."],
        },
        confirm_email: Text {
            subject: "تأكيد عنوانك الجديد",
            before: &["مرحبًا {name}،", "سيصبح هذا عنوان حسابك في {site}."],
            link: "تأكيد العنوان",
            after: &[
                "يعمل الرابط مرة واحدة خلال ساعة. بعد ذلك سجّل الدخول من جديد على أجهزتك الأخرى.",
                "إن كنت لا تعرف شيئًا عن هذا فلا داعي لفعل شيء.",
            ],
        },
        confirm_sign_up: Text {
            subject: "تأكيد حسابك",
            before: &["مرحبًا {name}،", "يريد أحدهم إنشاء حساب في {site} بعنوانك."],
            link: "إنشاء الحساب",
            after: &["يعمل الرابط مرة واحدة خلال يوم.", "إن لم تكن أنت فلا داعي لفعل شيء: لا يُنشأ حساب من دون الرابط."],
        },
        known: Text {
            subject: "لديك حساب بالفعل",
            before: &["مرحبًا {name}،", "يريد أحدهم إنشاء حساب في {site} بعنوانك. لديك حساب بالفعل: {name}."],
            link: "نسيت كلمة المرور؟",
            after: &["إن لم تكن أنت فلا داعي لفعل شيء."],
        },
        password_changed: Text {
            subject: "تغيّرت كلمة مرورك",
            before: &[
                "مرحبًا {name}،",
                "تغيّرت كلمة مرور حسابك في {site}، وسُجّل الخروج من كل الأجهزة الأخرى.",
                "إن لم تكن أنت فاختر كلمة مرور جديدة الآن، وأخبر من يدير الخادم.",
            ],
            link: "اختيار كلمة مرور جديدة",
            after: &[],
        },
        email_changed: Text {
            subject: "تغيّر عنوان حسابك",
            before: &[
                "مرحبًا {name}،",
                "لحسابك في {site} عنوان آخر الآن. هذه آخر رسالة إلى هذا العنوان.",
                "إن لم تكن أنت فأخبر من يدير الخادم.",
            ],
            link: "",
            after: &[],
        },
    },
];
