/// What rules ask about an object besides its bytes.
package struct ObjectFacts {
    /// File types of the containers that the object lies in, the nearest one first: `FileType.code` of their names.
    package var containers: [UInt32] = []
    /// Of a picture, what it looks like: `imageHash(of:)`.
    package var imageHash: UInt64?

    package init() {}
}
