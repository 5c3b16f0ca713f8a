BEGIN TRANSACTION;
CREATE TABLE activations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	version VARCHAR(64), 
	time DATETIME NOT NULL, 
	reader VARCHAR(128) NOT NULL, 
	CONSTRAINT fk_activations_version FOREIGN KEY(version) REFERENCES versions (id)
);
INSERT INTO "activations" VALUES(1,'v1','2026-11-27 10:06:19.290858','r');
CREATE TABLE decisions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	scan_id INTEGER NOT NULL, 
	reader VARCHAR(128) NOT NULL, 
	time DATETIME NOT NULL, 
	label_set_revision INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	labels TEXT NOT NULL, 
	confidence VARCHAR(16) NOT NULL, 
	flagged BOOLEAN NOT NULL, 
	note TEXT NOT NULL, 
	frame INTEGER, 
	version VARCHAR(64), 
	ranking TEXT, 
	shown VARCHAR(16) NOT NULL, 
	milliseconds BIGINT, 
	frames_shown TEXT NOT NULL, 
	undoes INTEGER, 
	redoes INTEGER, 
	CONSTRAINT fk_decisions_scan_id FOREIGN KEY(scan_id) REFERENCES scans (id), 
	CONSTRAINT fk_decisions_label_set_revision FOREIGN KEY(label_set_revision) REFERENCES label_sets (revision), 
	CONSTRAINT fk_decisions_undoes FOREIGN KEY(undoes) REFERENCES decisions (id), 
	CONSTRAINT fk_decisions_redoes FOREIGN KEY(redoes) REFERENCES decisions (id)
);
INSERT INTO "decisions" VALUES(1,1,'r','2026-11-27 10:06:19.246711',1,'labelled','["disc"]','definite',0,'',NULL,NULL,NULL,'blind',NULL,'[]',NULL,NULL);
INSERT INTO "decisions" VALUES(2,2,'r','2026-11-27 10:06:19.258072',1,'labelled','["dots"]','definite',0,'',NULL,NULL,NULL,'blind',NULL,'[]',NULL,NULL);
INSERT INTO "decisions" VALUES(3,2,'r','2026-11-27 10:06:19.263675',1,'unseen','[]','definite',0,'',NULL,NULL,NULL,'blind',NULL,'[]',2,NULL);
INSERT INTO "decisions" VALUES(4,3,'ben','2026-11-27 10:06:19.274047',1,'labelled','["stripes"]','definite',0,'',NULL,NULL,NULL,'blind',NULL,'[]',NULL,NULL);
CREATE TABLE label_sets (
	revision INTEGER NOT NULL, 
	created DATETIME NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_label_sets PRIMARY KEY (revision)
);
INSERT INTO "label_sets" VALUES(1,'2026-11-27 10:06:19.180330','{"multi_label": false, "labels": [{"id": "disc", "name": "Disc", "prompts": [], "code": ""}, {"id": "stripes", "name": "Stripes", "prompts": [], "code": ""}, {"id": "dots", "name": "Dots", "prompts": [], "code": ""}]}');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema','2');
INSERT INTO "meta" VALUES('project','29728796-d0d2-4c77-b84d-d3d5f0662845');
INSERT INTO "meta" VALUES('key','c0f7d5a36cef7eada9d15eb6a06470048ee5feaff45e2101d93d27687d60fe8c');
INSERT INTO "meta" VALUES('backbone','starter');
INSERT INTO "meta" VALUES('unit','image');
INSERT INTO "meta" VALUES('home','"/scans/p.nearl"');
CREATE TABLE scans (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	path TEXT NOT NULL, 
	size BIGINT, 
	mtime_ns BIGINT, 
	sha256 VARCHAR(64), 
	frames INTEGER NOT NULL, 
	modality VARCHAR(32) NOT NULL, 
	patient VARCHAR(64) NOT NULL, 
	study VARCHAR(64) NOT NULL, 
	series VARCHAR(64) NOT NULL, 
	patient_known BOOLEAN NOT NULL, 
	problem TEXT NOT NULL, 
	added DATETIME NOT NULL, 
	CONSTRAINT uq_scans_path UNIQUE (path)
);
INSERT INTO "scans" VALUES(1,'../scans/1.png',NULL,NULL,NULL,1,'','3a871e53e818a4cb9bfc97211a3c6c32','','',0,'','2026-11-27 10:06:19.228813');
INSERT INTO "scans" VALUES(2,'../scans/2.png',NULL,NULL,NULL,1,'','46f0c6b05878e00b5dd30e9b9be4a253','','',0,'','2026-11-27 10:06:19.228850');
INSERT INTO "scans" VALUES(3,'../scans/3.png',NULL,NULL,NULL,1,'','792b9908237f657e92dfe7c4b125977e','','',0,'','2026-11-27 10:06:19.228870');
INSERT INTO "scans" VALUES(4,'../scans/4.png',NULL,NULL,NULL,1,'','611a31eb2155f566d09167a56c086d3b','','',0,'','2026-11-27 10:06:19.228891');
INSERT INTO "scans" VALUES(5,'../scans/5.png',NULL,NULL,NULL,1,'','5990fa8d448158c87fef2ac8dba71d1a','','',0,'','2026-11-27 10:06:19.228909');
INSERT INTO "scans" VALUES(6,'../scans/6.png',NULL,NULL,NULL,1,'','e255ce37f029a87b7685bff6212fff73','','',0,'','2026-11-27 10:06:19.228923');
CREATE TABLE versions (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	created DATETIME NOT NULL, 
	file TEXT NOT NULL, 
	file_sha256 VARCHAR(64), 
	backbone TEXT NOT NULL, 
	backbone_hash VARCHAR(64) NOT NULL, 
	label_set_revision INTEGER NOT NULL, 
	decision_ids TEXT NOT NULL, 
	seconds FLOAT NOT NULL, 
	device TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	promoted BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	evidence TEXT, 
	CONSTRAINT uq_versions_id UNIQUE (id)
);
INSERT INTO "versions" VALUES(1,'v1','2026-01-02 00:00:00.000000','v1.safetensors',NULL,'starter','0000000000000000000000000000000000000000000000000000000000000000',1,'[1, 2]',3.5,'cpu',NULL,'{"n": 10, "accuracy": 0.8, "balanced_accuracy": 0.75, "log_loss": 0.5, "ece": 0.1, "auroc": 0.9}',1,'Better.',NULL);
CREATE TRIGGER label_sets_no_update BEFORE UPDATE ON label_sets BEGIN SELECT RAISE(ABORT, 'label_sets only grows'); END;
CREATE TRIGGER label_sets_no_delete BEFORE DELETE ON label_sets BEGIN SELECT RAISE(ABORT, 'label_sets only grows'); END;
CREATE TRIGGER label_sets_no_replace BEFORE INSERT ON label_sets WHEN EXISTS (SELECT 1 FROM label_sets WHERE revision = NEW.revision) BEGIN SELECT RAISE(ABORT, 'label_sets only grows'); END;
CREATE INDEX ix_scans_patient ON scans (patient);
CREATE TRIGGER versions_no_update BEFORE UPDATE ON versions BEGIN SELECT RAISE(ABORT, 'versions only grows'); END;
CREATE TRIGGER versions_no_delete BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'versions only grows'); END;
CREATE TRIGGER versions_no_replace BEFORE INSERT ON versions WHEN EXISTS (SELECT 1 FROM versions WHERE number = NEW.number) BEGIN SELECT RAISE(ABORT, 'versions only grows'); END;
CREATE INDEX ix_decisions_reader_id ON decisions (reader, id);
CREATE INDEX ix_decisions_scan_id_reader_id ON decisions (scan_id, reader, id);
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions only grows'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions only grows'); END;
CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'decisions only grows'); END;
CREATE TRIGGER activations_no_update BEFORE UPDATE ON activations BEGIN SELECT RAISE(ABORT, 'activations only grows'); END;
CREATE TRIGGER activations_no_delete BEFORE DELETE ON activations BEGIN SELECT RAISE(ABORT, 'activations only grows'); END;
CREATE TRIGGER activations_no_replace BEFORE INSERT ON activations WHEN EXISTS (SELECT 1 FROM activations WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'activations only grows'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('scans',6);
INSERT INTO "sqlite_sequence" VALUES('decisions',4);
INSERT INTO "sqlite_sequence" VALUES('versions',1);
INSERT INTO "sqlite_sequence" VALUES('activations',1);
COMMIT;
