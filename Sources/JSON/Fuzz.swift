/// Reads any bytes as JSON; what is read must survive both writers. Traps when it does not. For fuzzing and replay
/// tests.
package func fuzzJSON(_ bytes: UnsafeRawBufferPointer) {
    guard let value = try? JSONValue(parsing: Array(bytes)) else { return }
    for text in [value.text(), value.text(.pretty)] {
        precondition((try? JSONValue(parsing: text)) == value, "what was read does not survive writing")
    }
}
