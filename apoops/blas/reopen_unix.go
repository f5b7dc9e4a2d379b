//go:build unix

package blas

import "github.com/ebitengine/purego"

// reopen opens OpenBLAS again for another kind of processor. The library reads the
// variable of C's environment, which is not that of package os, while it is opened.
func reopen(lib uintptr, file, core string) (uintptr, error) {
	var setenv func(name, value string, overwrite int32) int32
	var unsetenv func(name string) int32
	for name, fn := range map[string]any{"setenv": &setenv, "unsetenv": &unsetenv} {
		address, err := purego.Dlsym(purego.RTLD_DEFAULT, name)
		if err != nil {
			return lib, nil
		}
		purego.RegisterFunc(fn, address)
	}
	if purego.Dlclose(lib) != nil || setenv(coreEnv, core, 1) != 0 {
		return openLibrary(file)
	}
	defer unsetenv(coreEnv)
	return openLibrary(file)
}
