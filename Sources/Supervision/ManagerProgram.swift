/// How the manager starts its own program again for another role. The roles' options are hidden from users:
///
///     --scanner --worker=N --threads=N --user=NAME [--alone]   scanning process; control socket is descriptor 3
///     --canary=GENERATION --samples=N --user=NAME              tries a generation, then N objects, descriptors 4 to
///         [--reference=GENERATION --slowdown=PERCENT]          3 + N, then its speed beside another's; control socket is
///                                                              descriptor 3
///     --keep-object=PATH                                       copies standard input to PATH
///     --launch=USER -- PROGRAM ARGUMENTS..                     gives up root, then becomes PROGRAM
package struct ManagerProgram: Sendable {
    /// The path of the program.
    package let path: String
    /// Options that every role gets, e.g. "--cfg=…", "--root=…".
    package let common: [String]
    package let environment: [String: String]

    /// A crash must end the process at once: the requests it held wait for that. (The runtime's backtracer would start
    /// a program, which the sandbox forbids, and let a raised signal return.)
    private static let fixed = ["SWIFT_BACKTRACE": "enable=no"]

    /// The control socket's number in scanning processes and canaries.
    package static let controlDescriptor: Int32 = 3
    /// The number of a canary's first object.
    package static let firstSample: Int32 = 4
    /// What a canary may take to verify every byte and to scan the known answers. Whoever offers a generation waits
    /// longer.
    package static let canarySeconds: UInt64 = 300
    /// Objects that a canary gets at most.
    package static let samples = 3

    package init(path: String, common: [String], environment: [String: String]) {
        self.path = path
        self.common = common
        // Children get what they need and nothing that happened to be around.
        let kept: Set<String> = ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "ESETS_ROOT"]
        self.environment = environment.filter { kept.contains($0.key) }.merging(ManagerProgram.fixed) { $1 }
    }

    func arguments(_ role: [String]) -> [String] { ["esets_daemon"] + role + common }
}
