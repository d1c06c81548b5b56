package import BytesE
import CModuleABI

/// One thing that a heuristic found in an object.
package struct Suspicion: Equatable {
    /// Which heuristic it was, as docs/heuristics.md lists them.
    package enum Kind: Equatable {
        case doubleExtension, hiddenExtension, turnedName, disguisedProgram, declaredMismatch
        case programAttachment, scriptAttachment, shortcut
        case singleProgramArchive, singleScriptArchive, encryptedArchive, encryptedProgram
        case macros, autoMacro, dangerousMacro, contentMismatch
    }

    package let kind: Kind
    /// 0 to 100; 100 blocks by itself.
    package let score: Int32

    /// The name under which it is reported.
    package var name: StaticString {
        switch kind {
        case .doubleExtension: "Heuristic.DoubleExtension"
        case .hiddenExtension: "Heuristic.HiddenExtension"
        case .turnedName: "Heuristic.TurnedName"
        case .disguisedProgram: "Heuristic.DisguisedProgram"
        case .declaredMismatch: "Heuristic.DeclaredMismatch"
        case .programAttachment: "Heuristic.ProgramAttachment"
        case .scriptAttachment: "Heuristic.ScriptAttachment"
        case .shortcut: "Heuristic.Shortcut"
        case .singleProgramArchive: "Heuristic.SingleProgramArchive"
        case .singleScriptArchive: "Heuristic.SingleScriptArchive"
        case .encryptedArchive: "Heuristic.EncryptedArchive"
        case .encryptedProgram: "Heuristic.EncryptedProgram"
        case .macros: "Heuristic.Macros"
        case .autoMacro: "Heuristic.AutoMacro"
        case .dangerousMacro: "Heuristic.DangerousMacro"
        case .contentMismatch: "Heuristic.ContentMismatch"
        }
    }

    /// What ordinary mail has, too, is only noted.
    package var isNote: Bool { score < 40 }
}

/// What the heuristics know about one object.
package struct ObjectFacts {
    package var name: FileName
    package var content: ExecutableContent
    /// EM_TYPE_… as identified.
    package var type: UInt32
    /// The media type that the container declares.
    package var declared: ByteView
    /// It cannot be opened without a password.
    package var isEncrypted: Bool
    /// It is attached to a message itself, not packed into something.
    package var isAttachment: Bool
    /// A message is among what it came out of.
    package var isInMail: Bool

    package init(
        name: ByteView, content: ExecutableContent = .none, type: UInt32 = EM_TYPE_UNKNOWN,
        declared: ByteView = ByteView(),
        isEncrypted: Bool = false, isAttachment: Bool = false, isInMail: Bool = false
    ) {
        self.name = FileName(name)
        self.content = content
        self.type = type
        self.declared = declared
        self.isEncrypted = isEncrypted
        self.isAttachment = isAttachment
        self.isInMail = isInMail
    }

    /// Whether Windows would run it, as far as content or (where that cannot be seen) the name tells.
    package var isRunnable: Bool {
        content.runsOnWindows || (name.isScript && (isAttachment || isEncrypted)) || (name.isProgram && isEncrypted)
    }

    /// What its name and content say, without its surroundings.
    package var suspicions: [Suspicion] {
        var found: [Suspicion] = []
        let runsByName = name.isProgram || name.isScript
        if name.turnsDirection {
            found.append(Suspicion(kind: .turnedName, score: runsByName && isRunnable ? 100 : 60))
        }
        if runsByName, name.padding >= 10 {
            found.append(Suspicion(kind: .hiddenExtension, score: isRunnable ? 100 : 70))
        } else if runsByName, name.hasTrailingDots {
            found.append(Suspicion(kind: .hiddenExtension, score: 60))
        }
        if let score = doubleExtension { found.append(Suspicion(kind: .doubleExtension, score: score)) }
        if let disguise { found.append(disguise) }
        if found.isEmpty, isInMail { plain(&found) }
        return found
    }

    private var doubleExtension: Int32? {
        if name.isProgram, name.hasDocumentBefore { return isRunnable ? 100 : 60 }
        guard name.isScript, name.hasOfficeDocumentBefore else { return nil }
        // "report.pdf.lnk" lies in every user's folder of recent files, "index.pdf.js" in a web project: packed
        // with others they are honest.
        return isAttachment || isEncrypted ? 100 : 60
    }

    /// A program behind the name or the declared type of something harmless.
    private var disguise: Suspicion? {
        switch content {
        case .windowsProgram, .shortcut:
            if name.isDocument { return Suspicion(kind: .disguisedProgram, score: 100) }
            if FileName.has(name.ending, "txt csv htm html xml eml msg zip rar 7z ics vcf") {
                return Suspicion(kind: .disguisedProgram, score: 70)
            }
            if isDeclaredHarmless { return Suspicion(kind: .declaredMismatch, score: 80) }
        case .elf, .machO:
            if name.isDocument { return Suspicion(kind: .disguisedProgram, score: 80) }
            if isDeclaredHarmless { return Suspicion(kind: .declaredMismatch, score: 60) }
        case .htmlApplication, .shellScript:
            if name.isDocument { return Suspicion(kind: .disguisedProgram, score: 60) }
        case .none:
            if name.isDocument, isUnlikeItsName { return Suspicion(kind: .contentMismatch, score: 15) }
        }
        return nil
    }

    private var isDeclaredHarmless: Bool {
        declared.hasPrefix(ByteView("image/")) || declared.hasPrefix(ByteView("audio/"))
            || declared.hasPrefix(ByteView("video/")) || declared.equals(ByteView("application/pdf"))
            || declared.equals(ByteView("application/msword"))
            || declared.hasPrefix(ByteView("application/vnd.openxmlformats"))
    }

    /// Pictures and PDF documents that are something else. Office documents come as OLE2, ZIP, RTF or HTML
    /// under any of their names, so nothing is said about them.
    private var isUnlikeItsName: Bool {
        let isPicture = FileName.has(name.ending, "jpg jpeg png gif bmp tif tiff webp")
        let isPDF = FileName.has(name.ending, "pdf")
        switch type {
        case EM_TYPE_PDF: return isPicture
        case EM_TYPE_GRAPHICS: return isPDF
        case EM_TYPE_OLE2, EM_TYPE_ZIP, EM_TYPE_RTF, EM_TYPE_HTML, EM_TYPE_FLASH, EM_TYPE_JAVA, EM_TYPE_SCRIPT,
            EM_TYPE_ARCHIVE, EM_TYPE_GZIP, EM_TYPE_TAR:
            return isPicture || isPDF
        default: return false
        }
    }

    /// Honest programs and scripts, of which an administrator may want to know.
    private func plain(_ found: inout [Suspicion]) {
        if content == .shortcut {
            found.append(Suspicion(kind: .shortcut, score: isAttachment ? 60 : 30))
        } else if content == .windowsProgram || content == .elf || content == .machO || (name.isProgram && isEncrypted)
        {
            let odd = FileName.has(name.ending, "scr pif cpl")
            found.append(
                isEncrypted
                    ? Suspicion(kind: .encryptedProgram, score: 60)
                    : Suspicion(kind: .programAttachment, score: odd ? 60 : 30))
        } else if name.isScript, isAttachment || isEncrypted {
            let odd = FileName.has(name.ending, "jse vbe wsf hta vbs")
            found.append(Suspicion(kind: .scriptAttachment, score: odd ? 60 : 35))
        } else if content == .htmlApplication {
            found.append(Suspicion(kind: .scriptAttachment, score: 60))
        }
    }
}
