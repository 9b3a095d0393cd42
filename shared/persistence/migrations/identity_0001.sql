CREATE TABLE account (
    id UUID NOT NULL,
    login TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    office_id UUID,
    name TEXT NOT NULL,
    active INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id),
    CONSTRAINT uq_account_login UNIQUE (login)
);

COMMENT ON COLUMN account.id IS 'the staff member''s or the client''s id';

CREATE TABLE refresh_token (
    token_hash BYTEA NOT NULL,
    family_id UUID NOT NULL,
    account_id UUID NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refresh_token PRIMARY KEY (token_hash)
);

CREATE INDEX ix_refresh_token_account_id ON refresh_token (account_id);

CREATE INDEX ix_refresh_token_expires_at ON refresh_token (expires_at);

CREATE INDEX ix_refresh_token_family_id ON refresh_token (family_id);

CREATE TABLE revocation (
    subject UUID NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_revocation PRIMARY KEY (subject)
);

CREATE INDEX ix_revocation_not_before ON revocation (not_before);

CREATE TABLE signing_key (
    kid TEXT NOT NULL,
    private_jwk JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_signing_key PRIMARY KEY (kid)
);
