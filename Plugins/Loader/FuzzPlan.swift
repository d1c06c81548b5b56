package import BytesE
import CModuleABI
import ModuleKit

/// Plans the loading of any files, and orders any entries. Traps when a promise is broken. For fuzzing and replay tests.
///
/// The first byte chooses: an odd one, that files follow, each after a 16-bit little-endian length; an even one, that
/// lines follow, each an entry: "d" or "c" for data or code, file, id, and the ids it comes after.
package func fuzzPlan(_ bytes: ByteView) {
    guard !bytes.isEmpty else { return }
    if bytes[0] & 1 == 1 { planFiles(bytes.dropFirst(1)) } else { orderEntries(bytes.dropFirst(1)) }
}

private func planFiles(_ bytes: ByteView) {
    var files: [em_file] = []
    var position = 0
    let names: [StaticString] = ["em001_64.dat", "em002_64.dat", "em003_64.dat", "em006_64.dat"]
    while files.count < names.count, let length = bytes.load(UInt16.self, at: position) {
        let content = bytes.slice(position + 2, min(position + 2 + Int(length), bytes.count))
        var file = em_file()
        file.name = ByteView(names[files.count]).slice
        file.bytes = content.slice
        file.thorough = UInt32(files.count & 1)
        files.append(file)
        position += 2 + content.count
    }
    let loader = Loader()
    var text = [UInt8](repeating: 0xAA, count: 64)
    var length: UInt64 = 0
    let status = text.withUnsafeMutableBufferPointer { text in
        files.withUnsafeMutableBufferPointer { files in
            withUnsafeMutablePointer(to: &length) { length in
                // A little room, so that the sentence must be cut.
                loader.plan(em_slice(), files, Reason(buffer: text.baseAddress, capacity: 32, length: length))
            }
        }
    }
    precondition(text[32...].allSatisfy { $0 == 0xAA }, "the reason is longer than its room")
    guard status == EM_OK else {
        precondition(status == EM_E_DATA && length > 0 && length <= 32, "a refusal without a reason")
        return
    }
    var places = [Bool](repeating: false, count: files.count)
    for file in files {
        precondition(!places[Int(file.order)], "two files at one place")
        places[Int(file.order)] = true
        // Nothing is signed.
        precondition(file.kind == EM_FILE_DATA, "code without a signature")
        _ = ByteView(file.id).array
        _ = ByteView(file.version).array
    }
}

private func orderEntries(_ bytes: ByteView) {
    var entries: [Loader.Entry] = []
    var start = 0
    while start < bytes.count, entries.count < 64 {
        let end = bytes.firstIndex(of: 0x0A, from: start) ?? bytes.count
        let line = bytes.slice(start, end)
        start = end + 1
        guard let first = line.firstIndex(of: 0x20), let second = line.firstIndex(of: 0x20, from: first + 1) else {
            continue
        }
        let third = line.firstIndex(of: 0x20, from: second + 1) ?? line.count
        entries.append(
            Loader.Entry(
                index: entries.count, file: line.slice(first + 1, second), id: line.slice(second + 1, third),
                isData: line[0] == 0x64, after: line.dropFirst(third)))
    }
    guard let order = Loader.order(entries) else { return }
    precondition(order.count == entries.count, "something was left out")
    var place = [Int](repeating: -1, count: entries.count)
    for (number, index) in order.enumerated() {
        precondition(place[index] < 0, "something comes twice")
        place[index] = number
    }
    for entry in entries {
        for other in entries where other.index != entry.index && Loader.names(entry.after, other.id) {
            precondition(place[other.index] < place[entry.index], "something comes before what it needs")
        }
    }
}
