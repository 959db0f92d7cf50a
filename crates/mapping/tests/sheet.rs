//! Workbooks that are made here, read.

use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};
use ondol_mapping::sheet::{Rows, SheetError, rows};
use proptest::prelude::*;

/// An archive of these parts.
fn zip(parts: &[(&str, &[u8])], packed: bool) -> Vec<u8> {
    let (mut file, mut directory) = (vec![], vec![]);
    for (name, content) in parts {
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(vec![], Compression::fast());
        encoder.write_all(content).unwrap();
        let body = if packed { encoder.finish().unwrap() } else { content.to_vec() };
        let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let mut head = vec![20, 0, 0, 8, if packed { 8 } else { 0 }, 0, 0, 0, 0, 0];
        head.extend(crc.sum().to_le_bytes());
        head.extend([number(body.len()), number(content.len())].concat());
        head.extend([u8::try_from(name.len()).unwrap(), 0, 0, 0]);
        directory.extend([b"PK\x01\x02\x14\x00", &head[..], &[0; 10]].concat());
        directory.extend([&number(file.len()), name.as_bytes()].concat());
        file.extend([b"PK\x03\x04", &head[..], name.as_bytes(), &body].concat());
    }
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    let number = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let (length, at) = (number(directory.len()), number(file.len()));
    file.extend(directory);
    file.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &length, &at, &[0, 0]].concat());
    file
}

const STYLES: &str = r#"<styleSheet><numFmts count="2">
<numFmt numFmtId="164" formatCode="yyyy&quot;년&quot;\ m&quot;월&quot;\ d&quot;일&quot;;@"/>
<numFmt numFmtId="165" formatCode="yyyy/mm/dd\ hh:mm"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>
<xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="20"/><xf numFmtId="22"/><xf numFmtId="9"/>
</cellXfs></styleSheet>"#;

const TEXTS: &str = r#"<sst><si><t>이름</t></si><si><r><rPr><b/></rPr><t xml:space="preserve">김 </t></r>
<r><t>영희</t></r><rPh sb="0" eb="1"><t>reading</t></rPh></si><si><t>a &lt;&#44032;&amp;&gt; _x0041_x</t></si>
<si><t><![CDATA[ <b> ]]></t></si></sst>"#;

/// A workbook whose sheets hold these rows.
fn workbook(sheets: &[(&str, &str)], since_1904: bool, packed: bool) -> Vec<u8> {
    let (mut list, mut links, mut parts) = (String::new(), String::new(), vec![]);
    for (number, (name, cells)) in sheets.iter().enumerate() {
        let (state, name) = match name.strip_prefix('-') {
            Some(hidden) => (r#"state="hidden""#, hidden),
            None => ("", *name),
        };
        list =
            format!(r#"{list}<sheet name="{name}" sheetId="{number}" {state} r:id="s{number}"/>"#);
        links = format!(
            r#"{links}<Relationship Id="s{number}" Type="x/worksheet" Target="{number}.xml"/>"#
        );
        parts.push((format!("xl/{number}.xml"), format!("<worksheet>{cells}</worksheet>")));
    }
    links += r#"<Relationship Id="t" Type="x/sharedStrings" Target="/xl/texts.xml"/>
        <Relationship Id="f" Type="x/styles" Target="../xl/styles.xml"/>"#;
    let main = format!(
        r#"<?xml version="1.0"?><workbook xmlns:r="r"><workbookPr date1904="{since_1904}"/>
        <sheets>{list}</sheets></workbook>"#
    );
    let top = r#"<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    parts.extend([
        ("_rels/.rels".to_owned(), top.to_owned()),
        ("xl/workbook.xml".to_owned(), main),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("<Relationships>{links}</Relationships>"),
        ),
        ("xl/styles.xml".to_owned(), STYLES.to_owned()),
        ("xl/texts.xml".to_owned(), TEXTS.to_owned()),
    ]);
    let parts: Vec<_> = parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zip(&parts, packed)
}

fn one(cells: &str) -> Vec<u8> {
    workbook(&[("Sheet1", &format!("<sheetData>{cells}</sheetData>"))], false, true)
}

fn read(cells: &str) -> Vec<Vec<String>> {
    rows(&one(cells), None).unwrap().rows
}

#[test]
fn cells_of_each_kind() {
    let cells = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c>
        <c t="s"><v>3</v></c><c t="inlineStr"><is><r><t>환자 </t></r><r><t>번호 </t></r></is></c></row>
        <row><c><v>17.0</v></c><c><v>0.1</v></c><c><v>36.6</v></c><c><v>12345678</v></c>
        <c><v>1.2E-2</v></c><c s="6"><v>0.5</v></c></row>
        <row><c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c>
        <c t="str"><f>A1&amp;"!"</f><v> 이름! </v></c><c><f>1+1</f><v>2</v></c><c t="s"/></row>"#;
    let expected = [
        vec!["이름", "김 영희", "a <가&> Ax", "<b>", "환자 번호"],
        vec!["17", "0.1", "36.6", "12345678", "0.012", "0.5"],
        vec!["true", "false", "#N/A", "이름!", "2"],
    ];
    assert_eq!(read(cells), expected);
    let prefixed = r#"<x:row xmlns:x="urn:x"><x:c><!-- --><x:v>1</x:v></x:c></x:row>"#;
    assert_eq!(read(prefixed), [["1"]]);
}

#[test]
fn dates_of_both_systems() {
    let cells = |day: u32| {
        format!(
            r#"<sheetData><row><c s="1"><v>{day}</v></c><c s="2"><v>{day}</v></c><c s="3">
            <v>{day}.5</v></c><c s="5"><v>{day}.354166666664</v></c><c s="4"><v>0.75</v></c>
            <c t="d" s="1"><v>2024-01-15T00:00:00</v></c></row></sheetData>"#
        )
    };
    let day = "2024-01-15";
    let expected =
        vec![vec![day, day, "2024-01-15T12:00:00", "2024-01-15T08:30:00", "18:00:00", day]];
    for (since_1904, serial) in [(false, 45_306), (true, 43_844)] {
        let book = workbook(&[("A", &cells(serial))], since_1904, false);
        assert_eq!(rows(&book, None).unwrap().rows, expected);
    }
}

#[test]
fn gaps_stay_and_ends_go() {
    let cells = r#"<row r="1"/><row r="3"><c r="B3"><v>1</v></c><c r="D3"><v>2</v></c><c r="E3" s="1"/></row>
        <row r="6"><c r="A6"><v>3</v></c><c r="ZZZ6" s="1"/></row><row r="9"><c r="A9" t="str"><v> </v></c></row>"#;
    let expected: Vec<Vec<&str>> = vec![vec!["", "1", "", "2"], vec![], vec![], vec!["3"]];
    let found = rows(&one(cells), None).unwrap();
    assert_eq!((found.first, found.rows), (3, expected.into_iter().map(owned).collect()));
}

fn owned(cells: Vec<&str>) -> Vec<String> {
    cells.into_iter().map(str::to_owned).collect()
}

#[test]
fn merged_cells_have_their_first_value() {
    let sheet = r#"<sheetData><row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c><c r="C2"><v>3</v></c></row>
        <row r="3"><c r="A3"><v>4</v></c><c r="B3"><v>5</v></c></row></sheetData>
        <mergeCells><mergeCell ref="A2:B3"/><mergeCell ref="A900000:XFD1048576"/></mergeCells>"#;
    let found = rows(&workbook(&[("A", sheet)], false, true), None).unwrap();
    assert_eq!(found, Rows { first: 2, rows: vec![owned(vec!["1", "", "3"])] });
}

#[test]
fn sheets_by_name_and_by_what_is_in_them() {
    let cell = |value| format!("<sheetData><row><c><v>{value}</v></c></row></sheetData>");
    let (first, second) = (cell(1), cell(2));
    let book = workbook(&[("-코드", &first), ("Empty", ""), ("환자 등록부", &second)], false, true);
    let found = |name| rows(&book, name).map(|rows| rows.rows.concat().join(","));
    assert_eq!(found(None).as_deref(), Ok("2"));
    assert_eq!(found(Some("코드")).as_deref(), Ok("1"));
    assert_eq!(found(Some(" 환자 등록부")).as_deref(), Ok("2"));
    assert_eq!(found(Some("empty")), Err(SheetError::Nothing));
    assert_eq!(found(Some("x")), Err(SheetError::NoSheet("x".to_owned())));
}

#[test]
fn bounds_are_kept() {
    let at = |place: &str, row: u32| format!(r#"<row r="{row}"><c r="{place}"><v>1</v></c></row>"#);
    let fails = |cells: &str| rows(&one(cells), None).unwrap_err();
    let sheet = "Sheet1".to_owned();
    assert_eq!(
        fails(&(at("A2", 2) + &at("A200002", 200_002))),
        SheetError::Rows { sheet: sheet.clone() }
    );
    assert_eq!(fails(&at("ALM4", 4)), SheetError::Columns { sheet: sheet.clone(), row: 4 });
    let long = |length| {
        format!(r#"<row><c t="inlineStr"><is><t>{}</t></is></c></row>"#, "가".repeat(length))
    };
    assert_eq!(read(&long(32_767))[0][0].chars().count(), 32_767);
    assert_eq!(fails(&long(32_768)), SheetError::Cell { sheet: sheet.clone(), row: 1 });
    assert_eq!(fails(&(at("A2", 2) + &at("A2", 2))), SheetError::Row { sheet, row: 2 });
}

#[test]
fn what_is_no_workbook_is_told() {
    assert_eq!(rows(b"a,b\n", None), Err(SheetError::NotXlsx));
    assert_eq!(rows(&zip(&[("a", b"b")], false), None), Err(SheetError::NotXlsx));
    let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on".to_vec();
    assert_eq!(rows(&old, None), Err(SheetError::Old));
    let name = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes);
    let locked: Vec<u8> = old.iter().copied().chain(name).collect();
    assert_eq!(rows(&locked, None), Err(SheetError::Locked));
    assert_eq!(rows(&vec![0; (64 << 20) + 1], None), Err(SheetError::Size));
}

#[test]
fn bombs_are_refused() {
    // The directory tells the truth: refused before anything is unpacked.
    let mut book = one("<row><c><v>1</v></c></row>");
    let directory = book.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    book[directory + 24..directory + 28].copy_from_slice(&(600_u32 << 20).to_le_bytes());
    assert_eq!(rows(&book, None), Err(SheetError::Unpacked));
    // It lies: refused where the part goes on.
    book[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
    assert_eq!(rows(&book, None), Err(SheetError::Row { sheet: "Sheet1".to_owned(), row: 1 }));
    // Small rows that would be large in memory.
    let mut many = String::new();
    for row in 1..=30_000 {
        many += r#"<row r=""#;
        many += &row.to_string();
        many += r#""><c r="ALL"#;
        many += &row.to_string();
        many += r#""><v>1</v></c></row>"#;
    }
    assert_eq!(rows(&one(&many), None), Err(SheetError::Held { sheet: "Sheet1".to_owned() }));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = rows(&bytes, None);
        let _ = rows(&[b"PK\x03\x04", &bytes[..]].concat(), None);
    }

    #[test]
    fn a_part_may_hold_anything(cells in r#"(<(/?(c|v|is|t|row|sheetData)|row r="[0-9]{1,9}"|c r="[A-Z]{1,4}[0-9]{1,8}"( t="(s|b|n|str)")?)/?>|[0-9.]{1,9}|&[a-z]{2};){0,12}"#) {
        let _ = rows(&one(&cells), None);
    }

    #[test]
    fn flipped_and_cut_workbooks(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
        packed: bool,
    ) {
        let sheet = r#"<sheetData><row><c s="2"><v>45306</v></c><c t="s"><v>1</v></c></row></sheetData>
            <mergeCells><mergeCell ref="A1:B1"/></mergeCells>"#;
        let mut book = workbook(&[("A", sheet)], false, packed);
        for (at, mask) in flips {
            let at = at.index(book.len());
            book[at] ^= mask;
        }
        if is_cut {
            book.truncate(cut.index(book.len()));
        }
        let _ = rows(&book, None);
    }
}
