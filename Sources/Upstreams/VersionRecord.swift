/// The record that tells versions of ClamAV's databases without a request to a web server:
/// `engine:main:daily:time:flag:level:safebrowsing:bytecode`.
struct VersionRecord: Equatable {
    private let fields: [Substring]
    /// Older ones are not believed: the web server is asked.
    private static let longest: Int64 = 3 * 3600

    /// nil for anything else, and for a record that is too old. One from the future is as good as the clock here.
    init?(_ text: String, now: Int64) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 8, fields.count <= 32, let time = Int64(fields[3]), now - time <= Self.longest else {
            return nil
        }
        self.fields = fields
    }

    /// The version of a database, if the record has it.
    func version(of database: String) -> UInt32? {
        let index: Int
        switch database {
        case "main": index = 1
        case "daily": index = 2
        case "bytecode": index = 7
        default: return nil
        }
        return UInt32(fields[index])
    }
}
