//! SIGHUP: the configuration is read again, whatever its contents, and calls continue.

use std::{
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use super::lamp::{Folder, PATIENCE, Serving};

/// Sends SIGHUP, and waits for the log line of its result.
fn reload(serving: &Serving, lines: &Receiver<String>, told: &str) -> String {
    serving.signal("HUP");
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("it says nothing of it");
        if line.contains("configuration reloaded") || line.contains("configuration not applied") {
            assert!(line.contains(told), "{line}");
            return line;
        }
    }
}

#[test]
fn hangup_reloads_the_configuration_and_ends_nothing() {
    // The gateway also polls the file; the signal makes it read even an unchanged one.
    let folder = Folder::new("log.format = 'json'");
    let serving = Arc::new(folder.serve("", &[]));
    let lines = serving.lines();
    let staring = {
        let serving = Arc::clone(&serving);
        std::thread::spawn(move || serving.get("/services/lamp/v1/stare", ""))
    };
    // The file is unchanged, so only the signal causes a reading.
    for _ in 0..3 {
        reload(&serving, &lines, "configuration reloaded");
    }
    assert_eq!(staring.join().unwrap().0, 200);
    folder.write("log.format = 'json'\n[quota.methods]\n'lamp/v1/look' = '1/h'");
    reload(&serving, &lines, "configuration reloaded");
    let statuses: Vec<_> = (0..3).map(|_| serving.get("/services/lamp/v1/stare", "").0).collect();
    assert_eq!(statuses, [200; 3]);
    for wrong in ["quota = 1", "[[", "[quota.methods]\n'lamp/v1/lok' = '1/h'"] {
        folder.write(wrong);
        reload(&serving, &lines, "configuration not applied");
        assert_eq!(serving.get("/meta", "").0, 200);
    }
    std::fs::remove_file(folder.path("gateway.toml")).unwrap();
    reload(&serving, &lines, "configuration not applied");
    serving.signal("TERM");
    assert!(Arc::into_inner(serving).unwrap().ended().success());
}

#[test]
fn hangup_while_it_stops_does_not_cut_the_last_calls() {
    let folder = Folder::new("log.format = 'json'");
    let serving = Arc::new(folder.serve("", &[]));
    let lines = serving.lines();
    let staring = {
        let serving = Arc::clone(&serving);
        std::thread::spawn(move || serving.get("/services/lamp/v1/stare", ""))
    };
    std::thread::sleep(Duration::from_millis(200));
    serving.signal("TERM");
    while !lines.recv_timeout(PATIENCE).unwrap().contains("stopping") {}
    serving.signal("HUP");
    assert_eq!(staring.join().unwrap().0, 200);
    assert!(Arc::into_inner(serving).unwrap().ended().success());
}
