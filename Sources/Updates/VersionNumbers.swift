/// A version such as "1.10.2", compared number by number. What is no number counts as none.
package struct VersionNumbers: Sendable, Comparable {
    let numbers: [UInt64]

    package init(_ text: String) {
        numbers = text.split(separator: ".").map { UInt64($0.prefix { $0.isNumber }) ?? 0 }
    }

    package static func < (left: VersionNumbers, right: VersionNumbers) -> Bool {
        left.numbers.lexicographicallyPrecedes(right.numbers)
    }
}
