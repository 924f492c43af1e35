package provision

// DropTerminated is what servers without DROP DATABASE … WITH (FORCE) get.
var DropTerminated = dropTerminated
