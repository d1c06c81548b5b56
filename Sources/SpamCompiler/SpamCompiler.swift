// SpamCompiler
