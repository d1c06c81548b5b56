/// What the product calls itself.
package enum Product {
    /// Name in headers, logs and replies.
    package static let name = "esets"
    /// Version of the product, the same in every program.
    package static let version = "1.0.0"
}
