/// Exit codes that mean the same in every program (sysexits.h).
package enum ExitCode {
    package static let success: Int32 = 0
    package static let failure: Int32 = 1
    /// EX_USAGE: the command line is wrong.
    package static let usage: Int32 = 64
    /// EX_DATAERR: what was given to work on is wrong.
    package static let data: Int32 = 65
    /// EX_NOINPUT: an input file cannot be read.
    package static let noInput: Int32 = 66
    /// EX_UNAVAILABLE: refused; a mail server bounces the message.
    package static let unavailable: Int32 = 69
    /// EX_SOFTWARE: an error of the program.
    package static let software: Int32 = 70
    /// EX_OSERR: the system refused something basic.
    package static let system: Int32 = 71
    /// EX_CANTCREAT: an output file cannot be made.
    package static let cannotCreate: Int32 = 73
    /// EX_IOERR: reading or writing failed.
    package static let inputOutput: Int32 = 74
    /// EX_TEMPFAIL: try again later; a mail server keeps the message.
    package static let temporary: Int32 = 75
    /// EX_NOPERM: not allowed.
    package static let permission: Int32 = 77
    /// EX_CONFIG: the configuration is wrong.
    package static let configuration: Int32 = 78
}
