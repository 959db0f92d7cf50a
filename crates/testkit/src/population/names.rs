//! Names as they are written in the north: initial ㄹ and ㄴ stay.

use super::Chance;

/// Family names; those that are frequent stand more than once.
pub const FAMILIES: &[&str] = &[
    "김", "김", "김", "김", "리", "리", "리", "박", "박", "최", "정", "강", "조", "윤", "장", "림",
    "한", "오", "서", "신", "권", "황", "안", "송", "류", "홍", "전", "고", "문", "손", "량", "배",
    "백", "허", "남", "심", "로", "라", "함", "변", "염", "차",
];

const WOMEN: &[&str] = &[
    "은희", "영희", "순희", "금옥", "정숙", "명옥", "춘화", "은경", "미향", "설경", "은별", "수련",
    "봄순", "진주", "옥별", "향미", "련희", "금주", "은심", "경옥", "복실", "해연", "성희", "유경",
];
const OLD_WOMEN: &[&str] = &["옥녀", "분녀", "확실", "간난", "복녀", "정녀", "순녀", "봉숙"];
const MEN: &[&str] = &[
    "성철", "영철", "광혁", "철수", "남혁", "일국", "명철", "금철", "정혁", "은철", "룡진", "경일",
    "충성", "진혁", "태성", "학철", "광명", "원철", "수남", "현철", "철진", "용남", "대혁", "강국",
];

/// A woman's or girl's whole name.
pub fn woman(chance: &mut Chance, family: &str) -> String {
    format!("{family}{}", chance.one_of(WOMEN))
}

/// An old woman's whole name.
pub fn old_woman(chance: &mut Chance) -> String {
    format!("{}{}", chance.one_of(FAMILIES), chance.one_of(OLD_WOMEN))
}

/// A man's or boy's whole name.
pub fn man(chance: &mut Chance, family: &str) -> String {
    format!("{family}{}", chance.one_of(MEN))
}
