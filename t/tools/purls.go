// Prints the package URL and the ecosystem of each package that osv-scalibr reads from a Cargo.lock.
//
//	purls PATH
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	input := filesystem.ScanInput{Path: os.Args[1], Reader: file}
	found, err := cargolock.Extractor{}.Extract(context.Background(), &input)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, p := range found.Packages {
		fmt.Println(p.PURL(), p.Ecosystem())
	}
}
