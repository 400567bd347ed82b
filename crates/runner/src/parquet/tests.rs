use super::*;

fn written() -> Vec<u8> {
    foreign::bytes(vec![foreign::column("x", (0..100).map(f64::from).collect::<Vec<f64>>())])
}

#[test]
fn tables_come_back_as_they_were_written() {
    let n = ROW_GROUP as u32 + 5;
    let numbers = |n| (0..n).map(f64::from).collect::<Vec<f64>>();
    let table = Table::new(vec![
        Column::new("number", numbers(n)),
        Column::new("count", (0..n).collect::<Vec<u32>>()),
        Column::new("seed", (0..n).map(u64::from).collect::<Vec<u64>>()),
        Column::new("even", (0..n).map(|row| row % 2 == 0).collect::<Vec<bool>>()),
        Column::new("text", (0..n).map(|row| format!("row {row}")).collect::<Vec<String>>()),
        Column::new("some", (0..n).map(|row| (row > 1).then_some(0.5)).collect::<Vec<Option<f64>>>()),
        Column::new("few", (0..n).map(|row| (row < 1).then_some(7)).collect::<Vec<Option<u32>>>()),
        Column::new("none", vec![None::<u64>; n as usize]),
    ])
    .unwrap();
    let bytes = write(table.clone(), vec![("key".to_owned(), "value".to_owned())]).unwrap();
    let source = Source::Memory(&bytes);
    let footer = Footer::read(source).unwrap();
    assert_eq!(footer.table(source).unwrap(), table);
    assert!(footer.entries().contains(&("key".to_owned(), "value".to_owned())));
    let read = footer.numbers(source, &[3, 5]).unwrap();
    assert_eq!(read[0].values[..3], [1.0, 0.0, 1.0]);
    assert_eq!((read[0].empty.len(), &read[1].empty), (0, &vec![0, 1]));
    assert_eq!(footer.texts(source, 3).unwrap()[1].as_deref(), Some("false"));
}

/// A change of polars or of its settings would change stored results, which are compared byte for byte.
#[test]
fn a_table_has_the_bytes_that_it_always_had() {
    let table = Table::new(vec![
        Column::new("a", vec![0.5, f64::NAN, -0.0]),
        Column::new("b", vec![1u32, 2, 3]),
        Column::new("c", vec![Some(1u64), None, Some(u64::MAX)]),
        Column::new("d", vec![Some(0.1), None, Some(0.2)]),
        Column::new("e", vec![true, false, true]),
        Column::new("f", vec!["x", "", "µ"]),
    ])
    .unwrap();
    let bytes = write(table, vec![("key".to_owned(), "value".to_owned())]).unwrap();
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        "7dbb7f1cf246d66de8c3189d28d4bbf56fac07d4c8315c02630daed08bc213af"
    );
}

#[test]
fn sound_files_are_within_the_limits() {
    let bytes = written();
    let source = Source::Memory(&bytes);
    let footer = Footer::read(source).unwrap();
    assert!(source.check_pages(&footer.metadata, "x").is_ok());
    assert_eq!(footer.fields(), [Field { name: "x".to_owned(), kind: Kind::Numbers }]);
}

#[test]
fn pages_of_more_than_their_column_holds_are_refused() {
    let bytes = written();
    let footer = Footer::read(Source::Memory(&bytes)).unwrap();
    // Behind the magic word the first page's header: its type, its sizes and its count are zigzag integers.
    let refused = (4..24).filter(|&place| {
        let mut lying = bytes.clone();
        lying[place] = lying[place].wrapping_add(0x7f);
        Source::Memory(&lying).check_pages(&footer.metadata, "x").is_err()
    });
    let refused = refused.count();
    assert!(refused >= 3, "{refused} of 20 bytes of the header are looked at");
}
