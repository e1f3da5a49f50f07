//! Passwords that are tried first.

pub(super) const COMMON: &[&str] = &[
    "00000000", "11111111", "12121212", "12341234", "12344321", "123123123", "12345678", "123456789", "1234567890",
    "123456789a", "123qweasd", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "1qazxsw2", "22222222", "33333333", "55555555",
    "66666666", "77777777", "87654321", "88888888", "987654321", "99999999", "aa123456", "aaaaaaaa", "abc12345",
    "abcd1234", "abcdefgh", "access14", "admin123", "administrator", "alexander", "asdf1234", "asdfasdf", "asdfghjk",
    "asdfghjkl", "babygirl", "baseball", "basketball", "butterfly", "caroline", "changeme", "charlie1", "chocolate",
    "computer", "consumer", "corvette", "danielle", "darkness", "december", "dolphins", "dragon123", "einstein",
    "elephant", "estrella", "fernando", "football", "football1", "garfield", "hello123", "hellohello", "iloveyou",
    "iloveyou1", "internet", "jennifer", "jordan23", "jonathan", "katherine", "letmein1", "liverpool", "liverpool1",
    "lovelove", "marlboro", "master123", "maverick", "mercedes", "michael1", "michelle", "midnight", "monkey123",
    "nicholas", "november", "p@ssw0rd", "pa55word", "pass1234", "passw0rd", "password", "password!", "password1",
    "password12", "password123", "passwort", "patricia", "pokemon1", "princess", "princess1", "q1w2e3r4", "qazwsxedc",
    "qwer1234", "qwert123", "qwerty12", "qwerty123", "qwertyui", "qwertyuiop", "rush2112", "samantha", "september",
    "sunshine", "sunshine1", "superman", "superman1", "teddybear", "test1234", "testtest", "trustno1", "victoria",
    "welcome1", "welcome123", "whatever", "wolverine", "zaq12wsx", "zxcvbnm1",
];
