// Makes and checks notes, cosignatures and proofs with the libraries of the Go project and of transparency-dev.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofVector struct {
	Index     int64    `json:"index"`
	Size      int64    `json:"size"`
	Inclusion []string `json:"inclusion"`
	From      int64    `json:"from"`
	Growth    []string `json:"growth"`
}

type vectors struct {
	LogKey     string        `json:"logKey"`
	WitnessKey string        `json:"witnessKey"`
	Note       string        `json:"note"`
	Roots      []string      `json:"roots"`
	Proofs     []proofVector `json:"proofs"`
}

type question struct {
	LogKey      string `json:"logKey"`
	WitnessKeys []string `json:"witnessKeys"`
	Note        string `json:"note"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func keyOf(name string, seed byte) string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = seed
	}
	public := ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey)
	key, err := note.NewEd25519VerifierKey(name, public)
	must(err)
	return key
}

func secretOf(name string, seed byte) string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = seed
	}
	verifier, err := note.NewVerifier(keyOf(name, seed))
	must(err)
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{1}, raw...)))
}

func texts(hashes []tlog.Hash) []string {
	out := []string{}
	for _, hash := range hashes {
		out = append(out, base64.StdEncoding.EncodeToString(hash[:]))
	}
	return out
}

func makeVectors() {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	made := vectors{}
	for n := int64(0); n < 70; n++ {
		hashes, err := tlog.StoredHashes(n, []byte(fmt.Sprint(n)), read)
		must(err)
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(n+1, read)
		must(err)
		made.Roots = append(made.Roots, base64.StdEncoding.EncodeToString(root[:]))
	}
	for _, each := range [][3]int64{{0, 1, 1}, {3, 7, 5}, {41, 64, 32}, {69, 70, 1}, {20, 69, 64}, {0, 70, 33}} {
		inclusion, err := tlog.ProveRecord(each[1], each[0], read)
		must(err)
		growth, err := tlog.ProveTree(each[1], each[2], read)
		must(err)
		made.Proofs = append(made.Proofs, proofVector{each[0], each[1], texts(inclusion), each[2], texts(growth)})
	}
	signer, err := note.NewSigner(secretOf("log.example/go", 1))
	must(err)
	witness, err := fnote.NewSignerForCosignatureV1(secretOf("witness.example/go", 2))
	must(err)
	text := fmt.Sprintf("log.example/go\n70\n%s\n", made.Roots[69])
	signed, err := note.Sign(&note.Note{Text: text}, signer, witness)
	must(err)
	made.Note = string(signed)
	made.LogKey = keyOf("log.example/go", 1)
	made.WitnessKey, err = fnote.VKeyToCosignatureV1(keyOf("witness.example/go", 2))
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(made))
}

func check() {
	var asked question
	must(json.NewDecoder(os.Stdin).Decode(&asked))
	log, err := note.NewVerifier(asked.LogKey)
	must(err)
	all := []note.Verifier{log}
	for _, key := range asked.WitnessKeys {
		witness, err := fnote.NewVerifierForCosignatureV1(key)
		must(err)
		all = append(all, witness)
	}
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(all...))
	must(err)
	if len(opened.Sigs) != len(all) || len(opened.UnverifiedSigs) != 0 {
		must(fmt.Errorf("%d of %d signatures hold", len(opened.Sigs), len(all)))
	}
	fmt.Println(len(opened.Sigs))
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "vectors" {
		makeVectors()
		return
	}
	check()
}
