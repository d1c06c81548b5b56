/// What the mirror has to tell the administrator.
package struct MirrorEvents: Sendable {
    package let warning: @Sendable (String) -> Void
    package let debug: @Sendable (String) -> Void

    package init(warning: @escaping @Sendable (String) -> Void, debug: @escaping @Sendable (String) -> Void) {
        self.warning = warning
        self.debug = debug
    }
}
