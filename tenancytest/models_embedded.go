package tenancytest

import "time"

// Base is what an application embeds into all its models.
type Base struct {
	ID        uint `gorm:"primaryKey"`
	CreatedAt time.Time
	UpdatedAt time.Time
	Owner
}

// Owner holds the tenant, one level deeper.
type Owner struct {
	TenantID string `gorm:"size:40;uniqueIndex:,composite:natural" tenancy:"tenant"`
}

// basedParent and the models around it: key, times and tenant come from an embedded struct.
type (
	basedParent struct {
		Base
		ParentData
		Boss     *basedParent
		Country  *country
		Profile  *basedProfile `gorm:"foreignKey:ParentID"`
		Children []basedChild  `gorm:"foreignKey:ParentID"`
		Tags     []basedTag    `gorm:"many2many:based_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	basedChild struct {
		Base
		ChildData
		Parent *basedParent
	}
	basedProfile struct {
		Base
		ChildData
	}
	basedTag struct {
		Base
		TagData
	}
)
