// ModuleHost
