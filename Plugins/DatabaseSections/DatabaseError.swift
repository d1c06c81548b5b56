/// Why a database cannot be used.
package struct DatabaseError: Error {
    /// What is wrong with it.
    package enum Code: Sendable {
        /// It is no signature database, or one of another format or version.
        case format
        /// An offset, count or size in it contradicts another, or points outside.
        case damaged
    }

    package let code: Code
    /// The section concerned, EM_SECTION_…; 0 is the header.
    package let section: UInt32
    /// One sentence for the log.
    package let reason: StaticString

    package init(_ code: Code, section: UInt32 = 0, _ reason: StaticString) {
        self.code = code
        self.section = section
        self.reason = reason
    }
}
